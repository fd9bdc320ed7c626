// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <threadkeep/threadkeep.hpp>
#include <vector>

namespace threadkeep::cli {

/// The value of a channel on one side; see ChannelView.
struct DiffValue {
  std::string type;
  std::size_t bytes = 0;
  std::string text;
};

/// A channel whose values are not the same: absent where it has none.
struct ChannelDiff {
  std::string name;
  std::optional<DiffValue> before;
  std::optional<DiffValue> after;
};

/// A member of the metadata whose values are not the same, as JSON texts.
struct MetadataDiff {
  std::string name;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

struct CheckpointDiff {
  std::vector<ChannelDiff> channels;  ///< Ordered by name.
  std::vector<MetadataDiff> metadata;
  std::size_t unchanged = 0;  ///< Channels whose values are the same.
};

/// Compares two checkpoints that were read with their values: type and bytes, and inline values and
/// metadata as JSON. `text_limit` bounds the text of values.
CheckpointDiff diff(const CheckpointTuple& before, const CheckpointTuple& after,
                    std::size_t text_limit);

}  // namespace threadkeep::cli
