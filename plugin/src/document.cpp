// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "json.hpp"
#include "json_value.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

using nlohmann::json;

bool is_object(std::string_view raw) {
  return raw.starts_with('{');
}

using Entries = std::vector<std::pair<std::string, std::string>>;

// Duplicate keys leave one entry, at the place of the first and with the value of the last. Few are
// looked through one by one; a document of very many must not take the square of their number.
class Assignment {
 public:
  explicit Assignment(Entries& entries) : entries_(entries) {}

  template <class Value>
  void operator()(std::string key, const Value& value) {
    if (auto* entry = find(key)) {
      entry->second = value;
      return;
    }
    if (!places_.empty()) places_.emplace(key, entries_.size());
    entries_.emplace_back(std::move(key), std::string(value));
  }

 private:
  Entries::value_type* find(const std::string& key) {
    constexpr std::size_t few = 32;
    if (entries_.size() < few) {
      const auto found = std::find_if(entries_.begin(), entries_.end(),
                                      [&](const auto& entry) { return entry.first == key; });
      return found == entries_.end() ? nullptr : &*found;
    }
    if (places_.empty()) {
      for (const auto& entry : entries_) places_.emplace(entry.first, places_.size());
    }
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &entries_[found->second];
  }

  Entries& entries_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

DocumentChannels read_document(std::string_view document) {
  DocumentChannels channels;
  const auto members = json_members(document);
  if (const auto* versions = find_member(members, "channel_versions");
      versions && is_object(*versions)) {
    Assignment assign(channels.versions);
    for (auto& [channel, raw] : json_members(*versions)) {
      if (raw.starts_with('"')) {
        assign(std::move(channel), json_string(raw));
      } else {
        assign(std::move(channel), raw);
      }
    }
  }
  if (const auto* values = find_member(members, "channel_values"); values && is_object(*values)) {
    Assignment assign(channels.inline_values);
    for (auto& [channel, raw] : json_members(*values)) {
      assign(std::move(channel), raw);
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
  return a == b || equal_values(parse_stored(a), parse_stored(b));
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
    conditions_.push_back({key, value, parse_stored(value)});
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
    return value &&
           (*value == condition.text || equal_values(parse_stored(*value), condition.value));
  });
}

}  // namespace threadkeep
