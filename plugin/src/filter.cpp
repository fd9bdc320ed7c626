// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/filter.hpp"

#include <algorithm>
#include <span>

#include "json.hpp"
#include "json_value.hpp"
#include "text.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep {

namespace {

using nlohmann::json;
using Kind = Filter::Kind;

bool is_group(Kind kind) {
  return kind == Kind::all_of || kind == Kind::any_of || kind == Kind::negation;
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::invalid_argument, "filter " + why);
}

void check_path(const Filter::Path& path) {
  if (path.empty()) refuse("needs a path that begins with role or metadata");
  for (const std::string& part : path) {
    if (!is_utf8(part) || part.find('\0') != std::string::npos) {
      refuse("path must be UTF-8 without U+0000");
    }
  }
  if (path.front() == "role" && path.size() > 1) refuse("path: role is a text, without members");
  if (path.front() != "role" && path.front() != "metadata") {
    refuse("has the unknown field '" + path.front() + "'; use role or metadata");
  }
}

void check_shape(const Filter& filter) {
  if (filter.kind == Kind::negation && filter.parts.size() != 1) refuse("negates exactly one part");
  if (is_group(filter.kind)) {
    if (!filter.path.empty() || !filter.values.empty()) refuse("part has no path or values");
    return;
  }
  if (!filter.parts.empty()) refuse("condition has no parts");
  check_path(filter.path);
  const std::size_t wanted = filter.kind == Kind::exists ? 0 : 1;
  if (filter.kind != Kind::in && filter.values.size() != wanted) {
    refuse("condition needs " + std::to_string(wanted) + " values");
  }
}

// The value at the end of a path through metadata, as it stands there; null when it is missing.
std::optional<std::string_view> walk(std::string_view value, std::span<const std::string> path) {
  for (const std::string& key : path) {
    if (!value.starts_with('{')) return {};
    const auto members = json_members(value);
    const std::string_view* member = find_member(members, key);
    if (member == nullptr) return {};
    value = *member;
  }
  return value;
}

bool holds(Kind kind, std::partial_ordering order) {
  switch (kind) {
    case Kind::lt:
      return order < 0;
    case Kind::le:
      return order <= 0;
    case Kind::gt:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool is_one_of(const json& value, const std::vector<json>& values) {
  return std::any_of(values.begin(), values.end(),
                     [&](const json& other) { return equal_values(value, other); });
}

bool holds(Kind kind, const json& value, const std::vector<json>& values) {
  switch (kind) {
    case Kind::eq:
    case Kind::in:
      return is_one_of(value, values);
    case Kind::ne:
      return !is_one_of(value, values);
    case Kind::contains:
      return value.is_array() && is_one_of(values.front(), value.get_ref<const json::array_t&>());
    default:
      return holds(kind, compare_values(value, values.front()));
  }
}

}  // namespace

struct MessageFilter::Node {
  Kind kind;
  std::vector<Node> parts;
  bool of_role = false;
  std::vector<std::string> path;  // below the field
  std::vector<json> values;

  Node(const Filter& filter, std::size_t depth) : kind(filter.kind) {
    if (depth > max_filter_depth) {
      refuse("is nested deeper than " + std::to_string(max_filter_depth) + " levels");
    }
    check_shape(filter);
    for (const Filter& part : filter.parts) parts.emplace_back(part, depth + 1);
    if (is_group(kind)) return;
    of_role = filter.path.front() == "role";
    path.assign(filter.path.begin() + 1, filter.path.end());
    for (const std::string& value : filter.values) {
      check_json("filter value", value);
      values.push_back(parse_stored(value));
    }
  }

  bool matches(std::string_view role, std::string_view metadata) const {
    const auto is_true = [&](const Node& part) { return part.matches(role, metadata); };
    switch (kind) {
      case Kind::all_of:
        return std::all_of(parts.begin(), parts.end(), is_true);
      case Kind::any_of:
        return std::any_of(parts.begin(), parts.end(), is_true);
      case Kind::negation:
        return !is_true(parts.front());
      default:
        return of_role ? holds_for(json(role)) : holds_in(metadata);
    }
  }

  bool holds_in(std::string_view metadata) const {
    const auto found = walk(metadata, path);
    return found && (kind == Kind::exists || holds_for(parse_stored(*found)));
  }

  bool holds_for(const json& value) const {
    return kind == Kind::exists || holds(kind, value, values);
  }
};

MessageFilter::MessageFilter(const Filter& filter)
    : root_(std::make_unique<const Node>(filter, 1)) {}
MessageFilter::~MessageFilter() = default;
MessageFilter::MessageFilter(MessageFilter&&) noexcept = default;
MessageFilter& MessageFilter::operator=(MessageFilter&&) noexcept = default;

bool MessageFilter::empty() const noexcept {
  return root_->kind == Kind::all_of && root_->parts.empty();
}

bool MessageFilter::matches(std::string_view role, std::string_view metadata) const {
  return root_->matches(role, metadata);
}

}  // namespace threadkeep
