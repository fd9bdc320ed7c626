// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "layout.hpp"
#include "reply.hpp"
#include "threadkeep/model.hpp"

namespace threadkeep::redis {

/// A stored blob; empty when it says that the channel has no value.
std::optional<Blob> to_blob(std::string_view channel, std::string_view version, const Reply& value);
/// A stored write, from its field and its value.
PendingWrite to_write(std::string_view field, const Reply& value);
/// By task_path, task_id, idx.
void sort_writes(std::vector<PendingWrite>& writes);

}  // namespace threadkeep::redis
