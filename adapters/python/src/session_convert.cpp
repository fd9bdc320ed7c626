// SPDX-License-Identifier: Apache-2.0
#include "session_convert.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "convert.hpp"
#include "threadkeep/error.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

template <class Kind>
using Names = std::pair<std::string_view, Kind>;

constexpr std::array<Names<StateChange::Kind>, 3> change_kinds{
    {{"put", StateChange::Kind::put},
     {"merge", StateChange::Kind::merge},
     {"erase", StateChange::Kind::erase}}};

constexpr std::array<Names<Filter::Kind>, 12> filter_kinds{{{"all_of", Filter::Kind::all_of},
                                                            {"any_of", Filter::Kind::any_of},
                                                            {"negation", Filter::Kind::negation},
                                                            {"eq", Filter::Kind::eq},
                                                            {"ne", Filter::Kind::ne},
                                                            {"lt", Filter::Kind::lt},
                                                            {"le", Filter::Kind::le},
                                                            {"gt", Filter::Kind::gt},
                                                            {"ge", Filter::Kind::ge},
                                                            {"in", Filter::Kind::in},
                                                            {"exists", Filter::Kind::exists},
                                                            {"contains", Filter::Kind::contains}}};

template <class Kinds>
auto to_kind(const Kinds& kinds, nb::handle name, const char* field) {
  const std::string given = to_text(name, field);
  for (const auto& [known, kind] : kinds) {
    if (given == known) return kind;
  }
  throw Error(Code::invalid_argument, std::string(field) + " '" + given + "' is unknown");
}

Filter to_filter_tree(nb::handle tree, std::size_t depth) {
  // Checked again by the store, but a tree that is much deeper would not get that far.
  if (depth > max_filter_depth) {
    throw Error(
        Code::invalid_argument,
        "filter is nested deeper than " + std::to_string(max_filter_depth) + " levels; flatten it");
  }
  Filter filter{to_kind(filter_kinds, tree.attr("kind"), "filter kind"),
                {},
                to_texts(tree.attr("path"), "filter path"),
                to_texts(tree.attr("values"), "filter value")};
  for (nb::handle part : tree.attr("parts"))
    filter.parts.push_back(to_filter_tree(part, depth + 1));
  return filter;
}

}  // namespace

std::int64_t to_int64(nb::handle value, const char* field) {
  std::int64_t number = 0;
  if (PyLong_Check(value.ptr()) && nb::try_cast(value, number)) return number;
  throw Error(Code::invalid_argument, std::string(field) + " must be an int of 64 bits");
}

std::optional<std::int64_t> to_optional_int64(nb::handle value, const char* field) {
  if (value.is_none()) return std::nullopt;
  return to_int64(value, field);
}

std::size_t to_count(nb::handle value, const char* field) {
  const std::int64_t number = to_int64(value, field);
  if (number >= 0) return static_cast<std::size_t>(number);
  throw Error(Code::invalid_argument, std::string(field) + " must not be negative");
}

std::vector<NewMessage> to_new_messages(nb::handle rows) {
  std::vector<NewMessage> messages;
  for (nb::handle row : rows) {
    messages.push_back({to_text(row[0], "message id"), to_text(row[1], "role"),
                        to_text(row[2], "content"), to_text(row[3], "metadata")});
  }
  return messages;
}

std::vector<StateChange> to_changes(nb::handle rows) {
  std::vector<StateChange> changes;
  for (nb::handle row : rows) {
    changes.push_back({to_text(row[1], "state key"), to_kind(change_kinds, row[0], "kind"),
                       to_text(row[2], "state value"),
                       to_optional_int64(row[3], "expected_version")});
  }
  return changes;
}

StateScope to_scope(nb::handle row) {
  return {to_text(row[0], "thread_id of a scope"), to_text(row[1], "name of a scope")};
}

Filter to_filter_tree(nb::handle tree) {
  return tree.is_none() ? Filter{} : to_filter_tree(tree, 1);
}

}  // namespace threadkeep::python
