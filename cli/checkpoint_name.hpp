// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/threadkeep.hpp>

namespace threadkeep::cli {

/// How people name checkpoints, for the help of commands.
inline constexpr const char* checkpoint_names =
    "A checkpoint is named by its id, by a beginning of it that no other has, or as `latest`;\n"
    "`~2` after either goes back by two parents.";

/// The checkpoint of a thread and namespace that `name` means, without its values and writes.
/// Throws Refusal when there is none or more than one.
CheckpointTuple find_checkpoint(Store& store, const std::string& thread_id,
                                const std::string& checkpoint_ns, const std::string& name,
                                const Call& call);

}  // namespace threadkeep::cli
