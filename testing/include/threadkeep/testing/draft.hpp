// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "threadkeep/mutation.hpp"

namespace threadkeep::testing {

/// A checkpoint as a test describes it; becomes a PutCheckpoint with a document as LangGraph
/// writes it. Text given as JSON is taken over as it is, right or wrong.
class Draft {
 public:
  Draft(std::string thread_id, std::string checkpoint_id);

  Draft& ns(std::string checkpoint_ns);
  Draft& parent(std::string checkpoint_id);
  Draft& metadata(std::string json);
  /// A channel whose value is sent along, as a blob of type "text".
  Draft& value(std::string channel, std::string version, std::string text);
  /// A channel whose value the store has already, or never gets.
  Draft& carries(std::string channel, std::string version);
  /// A channel whose value is JSON inside the document.
  Draft& inlined(std::string channel, std::string version, std::string json);
  Draft& require_latest_parent();

  operator PutCheckpoint()
      const;  // NOLINT(google-explicit-constructor): a draft is meant to be put

 private:
  std::string document() const;

  PutCheckpoint checkpoint_;
  std::vector<std::pair<std::string, std::string>> versions_;
  std::vector<std::pair<std::string, std::string>> inline_values_;
};

/// The text as a JSON string, with its quotes.
std::string json_string(std::string_view text);

/// A regular write (idx >= 0) or one to a special channel (idx < 0), of type "text".
PendingWrite pending(std::string task_id, std::int32_t idx, std::string channel, std::string text,
                     std::string task_path = {});

}  // namespace threadkeep::testing
