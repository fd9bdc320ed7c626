// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "json.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

using nlohmann::json;

// The last of duplicate members counts.
const std::string_view* find_member(const std::vector<JsonMember>& members, std::string_view key) {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->first == key) return &member->second;
  }
  return nullptr;
}

bool is_object(std::string_view raw) {
  return raw.starts_with('{');
}

// Duplicate keys leave one entry, at the place of the first and with the value of the last.
template <class Value>
void assign(std::vector<std::pair<std::string, std::string>>& entries, std::string key,
            Value value) {
  for (auto& entry : entries) {
    if (entry.first == key) {
      entry.second = value;
      return;
    }
  }
  entries.emplace_back(std::move(key), std::string(value));
}

bool equal_integer_and_float(const json& integer, double floating) {
  if (std::trunc(floating) != floating) return false;
  // 2^63 and 2^64 are exact doubles, so these comparisons are too.
  if (integer.is_number_unsigned()) {
    return floating >= 0 && floating < 18446744073709551616.0 &&
           static_cast<std::uint64_t>(floating) == integer.get<std::uint64_t>();
  }
  return floating >= -9223372036854775808.0 && floating < 9223372036854775808.0 &&
         static_cast<std::int64_t>(floating) == integer.get<std::int64_t>();
}

// Exact, unlike the library's own comparison, which converts to one of the two types first.
bool equal_numbers(const json& a, const json& b) {
  if (a.is_number_float() && b.is_number_float()) return a.get<double>() == b.get<double>();
  if (a.is_number_float()) return equal_integer_and_float(b, a.get<double>());
  if (b.is_number_float()) return equal_integer_and_float(a, b.get<double>());
  const bool a_negative = !a.is_number_unsigned() && a.get<std::int64_t>() < 0;
  const bool b_negative = !b.is_number_unsigned() && b.get<std::int64_t>() < 0;
  if (a_negative != b_negative) return false;
  return a_negative ? a.get<std::int64_t>() == b.get<std::int64_t>()
                    : a.get<std::uint64_t>() == b.get<std::uint64_t>();
}

bool equal_values(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), equal_values);
  if (!a.is_object()) return a == b;
  return std::equal(a.items().begin(), a.items().end(), b.items().begin(),
                    [](const auto& x, const auto& y) {
                      return x.key() == y.key() && equal_values(x.value(), y.value());
                    });
}

json parse(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw Error(Code::corrupt, "stored JSON cannot be parsed");
  return value;
}

}  // namespace

DocumentChannels read_document(std::string_view document) {
  DocumentChannels channels;
  const auto members = json_members(document);
  if (const auto* versions = find_member(members, "channel_versions");
      versions && is_object(*versions)) {
    for (auto& [channel, raw] : json_members(*versions)) {
      if (raw.starts_with('"')) {
        assign(channels.versions, std::move(channel), json_string(raw));
      } else {
        assign(channels.versions, std::move(channel), raw);
      }
    }
  }
  if (const auto* values = find_member(members, "channel_values"); values && is_object(*values)) {
    for (auto& [channel, raw] : json_members(*values)) {
      assign(channels.inline_values, std::move(channel), raw);
    }
  }
  return channels;
}

std::vector<std::string> delta_channels(std::string_view metadata) {
  constexpr std::string_view key = "counters_since_delta_snapshot";
  if (metadata.find(key) == std::string_view::npos) return {};
  const auto members = json_members(metadata);
  const auto* counters = find_member(members, key);
  std::vector<std::string> channels;
  if (counters && is_object(*counters)) {
    for (auto& [channel, value] : json_members(*counters)) channels.push_back(std::move(channel));
  }
  return channels;
}

std::optional<std::string> run_id(std::string_view metadata) {
  const auto members = json_members(metadata);
  const auto* value = find_member(members, "run_id");
  if (!value || !value->starts_with('"')) return {};
  return json_string(*value);
}

bool json_equal(std::string_view a, std::string_view b) {
  return a == b || equal_values(parse(a), parse(b));
}

std::size_t weight(const CheckpointTuple& tuple) noexcept {
  std::size_t bytes = tuple.document.size() + tuple.metadata.size();
  for (const Blob& blob : tuple.values) bytes += blob.data.size();
  for (const PendingWrite& write : tuple.writes) bytes += write.data.size();
  return bytes;
}

struct MetadataFilter::Condition {
  std::string key;
  std::string text;
  json value;
};

MetadataFilter::MetadataFilter(const std::vector<MetadataEquals>& conditions) {
  for (const auto& [key, value] : conditions) {
    check_json("filter." + key, value);
    conditions_.push_back({key, value, parse(value)});
  }
}

MetadataFilter::~MetadataFilter() = default;
MetadataFilter::MetadataFilter(MetadataFilter&&) noexcept = default;
MetadataFilter& MetadataFilter::operator=(MetadataFilter&&) noexcept = default;

bool MetadataFilter::empty() const noexcept {
  return conditions_.empty();
}

bool MetadataFilter::matches(std::string_view metadata) const {
  if (empty()) return true;
  const auto members = json_members(metadata);
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    const auto* value = find_member(members, condition.key);
    return value && (*value == condition.text || equal_values(parse(*value), condition.value));
  });
}

}  // namespace threadkeep
