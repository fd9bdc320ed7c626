// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_diff.hpp"

#include <map>
#include <set>
#include <utility>

#include "json_output.hpp"
#include "printable.hpp"
#include "value_text.hpp"

namespace threadkeep::cli {

namespace {

struct Value {
  std::string type;  // "inline" for one in the document
  std::string bytes;

  friend bool operator==(const Value&, const Value&) = default;
};
using Values = std::map<std::string, Value>;

Json object_of(const std::string& text) {
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_object() ? std::move(parsed) : Json::object();
}

Values values_of(const CheckpointTuple& checkpoint) {
  Values values;
  const Json document = object_of(checkpoint.document);
  const auto found = document.find("channel_values");
  if (found != document.end() && found->is_object()) {
    for (const auto& [name, value] : found->items()) values[name] = {"inline", json_text(value)};
  }
  for (const Blob& blob : checkpoint.values) {
    values[blob.channel] = {blob.type, std::string(blob.data.view())};
  }
  return values;
}

Values members_of(const CheckpointTuple& checkpoint) {
  Values members;
  const Json metadata = object_of(checkpoint.metadata);
  for (const auto& [name, value] : metadata.items()) {
    members[name] = {"json", json_text(value)};
  }
  return members;
}

// Calls `report` for each name whose values differ; how many are the same.
template <class Report>
std::size_t compare(const Values& before, const Values& after, Report report) {
  const auto find = [](const Values& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : &found->second;
  };
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  std::size_t same = 0;
  for (const auto& name : names) {
    const Value* old_value = find(before, name);
    const Value* new_value = find(after, name);
    if (old_value != nullptr && new_value != nullptr && *old_value == *new_value) {
      ++same;
    } else {
      report(name, old_value, new_value);
    }
  }
  return same;
}

std::optional<DiffValue> shown(const Value* value, std::size_t text_limit) {
  if (value == nullptr) return {};
  const std::string type = value->type == "inline" ? "json" : value->type;
  return DiffValue{value->type, value->bytes.size(), value_text(type, value->bytes, text_limit)};
}

std::optional<std::string> text_of(const Value* value) {
  if (value == nullptr) return {};
  return value->bytes;
}

}  // namespace

CheckpointDiff diff(const CheckpointTuple& before, const CheckpointTuple& after,
                    std::size_t text_limit) {
  CheckpointDiff result;
  result.unchanged =
      compare(values_of(before), values_of(after),
              [&](const std::string& name, const Value* old_value, const Value* new_value) {
                result.channels.push_back(
                    {name, shown(old_value, text_limit), shown(new_value, text_limit)});
              });
  compare(members_of(before), members_of(after),
          [&](const std::string& name, const Value* old_value, const Value* new_value) {
            result.metadata.push_back({name, text_of(old_value), text_of(new_value)});
          });
  return result;
}

}  // namespace threadkeep::cli
