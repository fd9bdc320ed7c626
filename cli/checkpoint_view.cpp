// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_view.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

#include "printable.hpp"
#include "value_text.hpp"

namespace threadkeep::cli {

namespace {

using Json = nlohmann::json;

Json object_of(const std::string& text) {
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_object() ? std::move(parsed) : Json::object();
}

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A member as text: strings without their quotes.
std::string member(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : dumped(*found);
}

const Json& part(const Json& object, const char* key) {
  static const Json nothing = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : nothing;
}

// "2026-11-22T13:50:01.123456+00:00", as LangGraph writes it, to the second.
std::string time_of(const Json& document, const std::string& checkpoint_id) {
  std::string ts = member(document, "ts");
  constexpr std::size_t to_the_second = 19;
  if (ts.size() > to_the_second && ts[10] == 'T' && ts.ends_with("+00:00")) {
    return ts.substr(0, 10) + " " + ts.substr(11, 8) + " UTC";
  }
  if (!ts.empty()) return ts;
  const auto time = time_of_id(checkpoint_id);
  return time ? time_text(*time) : std::string();
}

std::vector<ChannelView> channels_of(const CheckpointTuple& checkpoint, const Json& document,
                                     const Json& before, std::size_t text_limit) {
  std::map<std::string, ChannelView> channels;
  for (const auto& [name, value] : part(document, "channel_values").items()) {
    const auto text = dumped(value);
    channels[name] = {name,  "inline", text.size(), printable(shortened(text, text_limit)),
                      false, false};
  }
  for (const Blob& blob : checkpoint.values) {
    channels[blob.channel] = {blob.channel,
                              blob.type,
                              blob.data.size(),
                              value_text(blob.type, blob.data.view(), text_limit),
                              false,
                              false};
  }
  const Json& versions = part(document, "channel_versions");
  const Json& old_versions = part(before, "channel_versions");
  std::vector<ChannelView> all;
  for (auto& [name, channel] : channels) {
    channel.changed = versions.contains(name) &&
                      (!old_versions.contains(name) || old_versions[name] != versions[name]);
    all.push_back(std::move(channel));
  }
  return all;
}

// "~__pregel_pull, answer" is the path of a task of node `answer`.
std::string task_name(const PendingWrite& write) {
  constexpr std::string_view pull = "~__pregel_pull, ";
  const auto at = write.task_path.find(pull);
  return at == std::string::npos ? write.task_id : write.task_path.substr(at + pull.size());
}

std::vector<TaskView> tasks_of(const CheckpointTuple& checkpoint, std::size_t text_limit) {
  std::vector<TaskView> tasks;
  const PendingWrite* last = nullptr;
  for (const PendingWrite& write : checkpoint.writes) {
    if (last == nullptr || last->task_id != write.task_id) {
      tasks.push_back({task_name(write), {}});
    }
    last = &write;
    const bool special = write.channel == "__interrupt__" || write.channel == "__error__" ||
                         write.channel == "__resume__";
    tasks.back().writes.push_back({write.channel, write.type, write.data.size(),
                                   value_text(write.type, write.data.view(), text_limit), true,
                                   special});
  }
  return tasks;
}

std::size_t bytes_of(const CheckpointTuple& checkpoint) {
  std::size_t bytes = checkpoint.document.size() + checkpoint.metadata.size();
  for (const Blob& blob : checkpoint.values) bytes += blob.data.size();
  for (const PendingWrite& write : checkpoint.writes) bytes += write.data.size();
  return bytes;
}

}  // namespace

CheckpointView view(const CheckpointTuple& checkpoint, const CheckpointTuple* parent,
                    std::size_t text_limit) {
  const Json document = object_of(checkpoint.document);
  const Json metadata = object_of(checkpoint.metadata);
  const Json before = parent != nullptr ? object_of(parent->document) : Json::object();
  return {.checkpoint_id = checkpoint.checkpoint_id,
          .parent_checkpoint_id = checkpoint.parent_checkpoint_id,
          .step = member(metadata, "step"),
          .source = member(metadata, "source"),
          .time = time_of(document, checkpoint.checkpoint_id),
          .channels = channels_of(checkpoint, document, before, text_limit),
          .tasks = tasks_of(checkpoint, text_limit),
          .bytes = bytes_of(checkpoint)};
}

std::string time_text(std::int64_t microseconds) {
  const std::time_t seconds = microseconds / 1'000'000;
  std::tm parts{};
  std::array<char, 40> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(microseconds);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

}  // namespace threadkeep::cli
