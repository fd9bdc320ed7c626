// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "threadkeep/error.hpp"
#include "threadkeep/retention/policy.hpp"

namespace threadkeep::retention {

namespace {

using Json = nlohmann::json;

// The text of a scalar as an operator would write it.
std::string scalar(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<MetadataEquals> metadata_of(const Json& object) {
  std::vector<MetadataEquals> conditions;
  for (const auto& [key, value] : object.items()) conditions.push_back({key, value.dump()});
  return conditions;
}

// False when there is no such field.
bool set_field(PolicyFields& fields, const std::string& name, const Json& value) {
  const std::pair<const char*, std::optional<std::string> PolicyFields::*> members[] = {
      {"name", &PolicyFields::name}, {"threads", &PolicyFields::threads},
      {"idle", &PolicyFields::idle}, {"expiry", &PolicyFields::expiry},
      {"age", &PolicyFields::age},   {"keep_last", &PolicyFields::keep_last},
  };
  for (const auto& [member, pointer] : members) {
    if (name != member) continue;
    fields.*pointer = scalar(value);
    return true;
  }
  return false;
}

PolicyFields read_object(const Json& object, const std::string& place,
                         std::vector<Problem>& problems) {
  PolicyFields fields;
  if (!object.is_object()) {
    problems.push_back({place, "is no object; a policy is an object of fields"});
    return fields;
  }
  for (const auto& [name, value] : object.items()) {
    const bool is_metadata = name == "metadata";
    if (is_metadata && value.is_object()) {
      fields.metadata = metadata_of(value);
    } else if (is_metadata) {
      problems.push_back({place + ".metadata", "is no object; write members and their values"});
    } else if (!set_field(fields, name, value)) {
      problems.push_back({place + "." + name,
                          "is unknown; fields are name, threads, metadata, idle, expiry, age and "
                          "keep_last"});
    }
  }
  return fields;
}

[[noreturn]] void refuse(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += (text.empty() ? "" : "; ") + problem.field + ": " + problem.text;
  }
  throw Error(Code::invalid_argument, text);
}

Json limit(std::uint32_t keep_last) {
  return keep_last == 0 ? Json("off") : Json(keep_last);
}

Json write(const Policy& policy) {
  Json object{{"name", policy.name},
              {"threads", policy.threads},
              {"idle", format_duration(policy.idle)},
              {"age", format_duration(policy.age)},
              {"keep_last", limit(policy.keep_last)}};
  if (policy.idle.count() != 0) {
    object["expiry"] = policy.expiry == Expiry::fixed ? "fixed" : "sliding";
  }
  for (const auto& [key, value] : policy.metadata) object["metadata"][key] = Json::parse(value);
  return object;
}

}  // namespace

std::string to_json(std::span<const Policy> policies) {
  Json array = Json::array();
  for (const Policy& policy : policies) array.push_back(write(policy));
  return array.dump();
}

std::vector<Policy> policies_from_json(std::string_view json) {
  const Json array = Json::parse(json, nullptr, false);
  if (!array.is_array()) refuse({{"policies", "is no JSON array; write a list of policies"}});
  std::vector<PolicyFields> fields;
  std::vector<Problem> problems;
  for (const Json& object : array) {
    const std::string place = "policies[" + std::to_string(fields.size()) + "]";
    fields.push_back(read_object(object, place, problems));
  }
  ReadPolicies read = read_policies(fields);
  problems.insert(problems.end(), read.problems.begin(), read.problems.end());
  if (!problems.empty()) refuse(problems);
  return std::move(read.policies);
}

}  // namespace threadkeep::retention
