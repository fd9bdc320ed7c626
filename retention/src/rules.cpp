// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <nlohmann/json.hpp>

namespace threadkeep::retention {

std::string to_text(const Rules& rules) {
  std::string policies = to_json(rules.policies);
  if (!rules.archive_required) return policies;
  return nlohmann::json{{"archive", "required"}, {"policies", nlohmann::json::parse(policies)}}
      .dump();
}

Rules rules_from_text(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("policies")) return {policies_from_json(text), false};
  return {policies_from_json(json["policies"].dump()), true};
}

}  // namespace threadkeep::retention
