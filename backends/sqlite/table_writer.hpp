// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "table_lock.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite {

/// Writes on a connection of its own. Each transaction makes sure that the lock in `state`, if one
/// was taken, is still held.
std::unique_ptr<tables::Writer> open_writer(const Settings& settings,
                                            std::shared_ptr<LockState> state, const Call& call);

}  // namespace threadkeep::sqlite
