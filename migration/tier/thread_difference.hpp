// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "archive/archived_thread.hpp"
#include "migration/tier/store_copy.hpp"

namespace threadkeep::migration {

/// Calls back for each part of a thread that is not equal in the two: its kind and what it is, in
/// words. Values are equal as the stores compare them; see docs/storage/store-copy.md for what is
/// not compared.
void each_difference(const ops::ArchivedThread& source, const ops::ArchivedThread& target,
                     const std::function<void(StoreProblemKind, const std::string&)>& use);

}  // namespace threadkeep::migration
