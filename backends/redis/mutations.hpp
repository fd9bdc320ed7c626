// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "threadkeep/mutation.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// Backend::apply on one connection; see threadkeep/backend.hpp.
std::vector<Outcome> apply(Writer& writer, std::span<const Mutation> batch);

/// These read first and then change what they have seen, or begin again when it has changed.
Written delete_runs(Writer& writer, const DeleteRuns& deletion);
Written copy_thread(Writer& writer, const CopyThread& copy);

}  // namespace threadkeep::redis
