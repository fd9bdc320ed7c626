// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <nlohmann/json.hpp>

#include "threadkeep/error.hpp"

namespace threadkeep::retention {

namespace {

using Json = nlohmann::json;

std::optional<std::string> text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

KeepTimes keep_times_of(const Json& object) {
  const ReadKeepTimes read = read_keep_times(
      {.tombstones = text_of(object, "tombstones"), .audit = text_of(object, "audit")});
  if (read.problems.empty()) return read.times;
  const Problem& problem = read.problems.front();
  throw Error(Code::invalid_argument, problem.field + ": " + problem.text);
}

}  // namespace

std::string to_text(const Rules& rules) {
  std::string policies = to_json(rules.policies);
  const KeepTimes usual;
  Json object = Json::object();
  if (rules.archive_required) object["archive"] = "required";
  if (rules.keep.tombstones != usual.tombstones) {
    object["tombstones"] = format_duration(rules.keep.tombstones);
  }
  if (rules.keep.audit != usual.audit) object["audit"] = format_duration(rules.keep.audit);
  if (object.empty()) return policies;
  object["policies"] = Json::parse(policies);
  return object.dump();
}

Rules rules_from_text(const std::string& text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("policies")) {
    return {policies_from_json(text), false, {}};
  }
  return {policies_from_json(json["policies"].dump()), json.value("archive", "") == "required",
          keep_times_of(json)};
}

}  // namespace threadkeep::retention
