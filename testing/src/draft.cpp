// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/draft.hpp"

#include <nlohmann/json.hpp>

namespace threadkeep::testing {

namespace {

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string text = "{";
  for (const auto& [key, value] : members) {
    if (text.size() > 1) text += ", ";
    text += json_string(key) + ": " + value;
  }
  return text + "}";
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump();
}

PendingWrite pending(std::string task_id, std::int32_t idx, std::string channel, std::string text,
                     std::string task_path) {
  return {std::move(task_id),   idx,    std::move(channel),
          std::move(task_path), "text", Bytes(std::move(text))};
}

Draft::Draft(std::string thread_id, std::string checkpoint_id) {
  checkpoint_.thread_id = std::move(thread_id);
  checkpoint_.checkpoint_id = std::move(checkpoint_id);
}

Draft& Draft::ns(std::string checkpoint_ns) {
  checkpoint_.checkpoint_ns = std::move(checkpoint_ns);
  return *this;
}

Draft& Draft::parent(std::string checkpoint_id) {
  checkpoint_.parent_checkpoint_id = std::move(checkpoint_id);
  return *this;
}

Draft& Draft::metadata(std::string json) {
  checkpoint_.metadata = std::move(json);
  return *this;
}

Draft& Draft::value(std::string channel, std::string version, std::string text) {
  carries(channel, version);
  checkpoint_.blobs.push_back(
      {std::move(channel), std::move(version), "text", Bytes(std::move(text))});
  return *this;
}

Draft& Draft::carries(std::string channel, std::string version) {
  versions_.emplace_back(std::move(channel), json_string(version));
  return *this;
}

Draft& Draft::inlined(std::string channel, std::string version, std::string json) {
  inline_values_.emplace_back(channel, std::move(json));
  return carries(std::move(channel), std::move(version));
}

Draft& Draft::require_latest_parent() {
  checkpoint_.require_latest_parent = true;
  return *this;
}

Draft::operator PutCheckpoint() const {
  auto checkpoint = checkpoint_;
  checkpoint.document = document();
  return checkpoint;
}

std::string Draft::document() const {
  return json_object({{"v", "4"},
                      {"id", json_string(checkpoint_.checkpoint_id)},
                      {"ts", "\"2026-01-02T03:04:05+00:00\""},
                      {"channel_values", json_object(inline_values_)},
                      {"channel_versions", json_object(versions_)},
                      {"versions_seen", "{}"}});
}

}  // namespace threadkeep::testing
