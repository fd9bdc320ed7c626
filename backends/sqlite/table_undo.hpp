// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "table_lock.hpp"
#include "threadkeep/table_undo.hpp"

namespace threadkeep::sqlite {

/// Works on temporary tables of a connection of its own, one for each table of the run, that say
/// what has become of its rows. Each transaction that writes makes sure that the lock in `state`,
/// if one was taken, is still held. Throws Error(invalid_argument) where there is no such run.
std::unique_ptr<tables::RunUndo> open_undo(const Settings& settings,
                                           std::shared_ptr<LockState> state,
                                           const std::string& run_id, const Call& call);

}  // namespace threadkeep::sqlite
