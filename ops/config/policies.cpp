// SPDX-License-Identifier: Apache-2.0
#include "config/policies.hpp"

#include <nlohmann/json.hpp>

namespace threadkeep::ops {

namespace {

using Places = std::map<std::string, YAML::Mark>;

// VALUE of a condition: as in --metadata, JSON or else a string. What is quoted is a string.
std::optional<std::string> metadata_value(Reading& reading, const std::string& key,
                                          const Reading::Member& member) {
  const auto text = reading.text(member, key);
  if (!text) return {};
  const bool is_quoted = member.value.Tag() == "!";
  return !is_quoted && nlohmann::json::accept(*text) ? *text : nlohmann::json(*text).dump();
}

// Takes the policies apart and remembers where each of their fields is.
class PolicyReader {
 public:
  explicit PolicyReader(Reading& reading) : reading_(reading) {}

  void take(const YAML::Node& node) {
    const std::string place = "policies[" + std::to_string(fields_.size()) + "]";
    auto& fields = fields_.emplace_back();
    places_[place] = node.Mark();
    const auto members =
        reading_.members({node.Mark(), node}, "a policy",
                         {"name", "threads", "metadata", "idle", "expiry", "age", "keep_last"});
    for (const auto& [name, member] : members) {
      places_[place + "." + name] = member.place();
      if (name == "metadata") {
        fields.metadata = metadata(member);
      } else {
        field(fields, name) = reading_.text(member, name);
      }
    }
  }

  std::vector<retention::Policy> finish() const {
    auto read = retention::read_policies(fields_);
    for (const auto& [field, text] : read.problems) {
      const auto found = places_.find(field);
      const auto dot = field.find('.');
      reading_.problem(found == places_.end() ? places_.at(field.substr(0, dot)) : found->second,
                       field.substr(dot + 1) + " " + text);
    }
    return std::move(read.policies);
  }

 private:
  static std::optional<std::string>& field(retention::PolicyFields& fields,
                                           const std::string& name) {
    if (name == "name") return fields.name;
    if (name == "threads") return fields.threads;
    if (name == "idle") return fields.idle;
    if (name == "expiry") return fields.expiry;
    return name == "age" ? fields.age : fields.keep_last;
  }

  std::vector<MetadataEquals> metadata(const Reading::Member& member) {
    std::vector<MetadataEquals> conditions;
    for (const auto& [key, value] : reading_.members(member, "metadata", {})) {
      if (const auto json = metadata_value(reading_, key, value))
        conditions.push_back({key, *json});
    }
    return conditions;
  }

  Reading& reading_;
  Places places_;
  std::vector<retention::PolicyFields> fields_;
};

retention::KeepTimes take_keep_times(Reading& reading, const Reading::Members& members) {
  retention::KeepFields fields;
  Places places;
  for (const auto& [name, field] :
       {std::pair("tombstones", &fields.tombstones), std::pair("audit", &fields.audit)}) {
    const auto found = members.find(name);
    if (found == members.end()) continue;
    *field = reading.text(found->second, name);
    places[name] = found->second.place();
  }
  const auto read = retention::read_keep_times(fields);
  for (const auto& [field, text] : read.problems) {
    reading.problem(places.at(field), field + " " + text);
  }
  return read.times;
}

std::vector<retention::Policy> take_policies(Reading& reading, const Reading::Member& retention,
                                             const Reading::Members& members) {
  const auto found = members.find("policies");
  if (found == members.end() || !found->second.value.IsSequence()) {
    const auto place = found == members.end() ? retention.place() : found->second.place();
    reading.problem(place, "retention needs policies, which are a list");
    return {};
  }
  PolicyReader reader(reading);
  for (const auto& node : found->second.value) reader.take(node);
  return reader.finish();
}

}  // namespace

RetentionConfig take_retention(Reading& reading, const Reading::Member& retention) {
  const auto members = reading.members(retention, "retention", {"policies", "tombstones", "audit"});
  return {take_policies(reading, retention, members), take_keep_times(reading, members)};
}

}  // namespace threadkeep::ops
