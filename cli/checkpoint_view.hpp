// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <threadkeep/threadkeep.hpp>
#include <vector>

namespace threadkeep::cli {

/// The value of a channel, stored by itself or inline in the document.
struct ChannelView {
  std::string name;
  std::string type;  ///< The type tag; "inline" for one in the document.
  std::size_t bytes = 0;
  std::string text;      ///< See value_text.hpp; may be empty.
  bool changed = false;  ///< By the step that made the checkpoint.
  /// One of LangGraph's own, such as an interrupt or an error: what a person looks for first.
  bool special = false;
};

/// What one task wrote before the next checkpoint existed.
struct TaskView {
  std::string name;  ///< The node, where LangGraph names it, else the id of the task.
  std::vector<ChannelView> writes;
};

/// A checkpoint as a person wants to see it: what LangGraph put into it, taken apart. Members that
/// are missing or have another form than LangGraph's stay empty; nothing here throws for them.
struct CheckpointView {
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  std::string step;    ///< "-1", "0", ...
  std::string source;  ///< "input", "loop", "update", "fork".
  std::string time;    ///< "2026-11-22 13:50:01 UTC", from the document, else from the id.
  std::vector<ChannelView> channels;
  std::vector<TaskView> tasks;
  std::size_t bytes = 0;  ///< Document, metadata, values and writes.
};

/// `parent` tells which channels changed, where it is known. `text_limit` bounds the text of
/// values.
CheckpointView view(const CheckpointTuple& checkpoint, const CheckpointTuple* parent,
                    std::size_t text_limit);

/// "2026-11-22 13:50:01 UTC" for microseconds since 1970.
std::string time_text(std::int64_t microseconds);

}  // namespace threadkeep::cli
