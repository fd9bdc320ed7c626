// SPDX-License-Identifier: Apache-2.0
#include "random_session.hpp"

#include <vector>

#include "threadkeep/testing/draft.hpp"

namespace threadkeep::testing {

namespace {

using Strings = std::vector<std::string>;
using Random = std::mt19937_64;
using Kind = Filter::Kind;

const Strings keys{"a", "b", "a.b", "k'\"", "\u00e9"};
const Strings roles{"user", "assistant", "tool", "", "\u00e9"};
const Strings scalars{"1",
                      "1.0",
                      "2",
                      "-1",
                      "-0.5",
                      "0",
                      "-0.0",
                      "true",
                      "false",
                      "null",
                      "\"1\"",
                      "\"true\"",
                      "\"a\"",
                      "\"\"",
                      "\"\\u00e9\"",
                      "\"\\uffff\"",
                      "\"\\ud83d\\ude00\"",
                      "9007199254740993",
                      "9007199254740992.0",
                      "18446744073709551615",
                      "18446744073709551616.0",
                      "-9223372036854775808",
                      "1e300"};

// Not std::uniform_int_distribution: its results differ between standard libraries.
std::size_t below(Random& random, std::size_t n) {
  return static_cast<std::size_t>(random() % n);
}

const std::string& pick(Random& random, const Strings& pool) {
  return pool[below(random, pool.size())];
}

std::string random_object(Random& random, int depth);

std::string random_value(Random& random, int depth) {
  const auto kind = depth > 0 ? below(random, 10) : 9;
  if (kind < 2) return random_object(random, depth - 1);
  if (kind > 3) return pick(random, scalars);
  std::string items;
  for (auto n = below(random, 4); n > 0; --n) {
    items += (items.empty() ? "" : ", ") + random_value(random, depth - 1);
  }
  return "[" + items + "]";
}

// Now and then a key comes twice: the last one counts.
std::string random_object(Random& random, int depth) {
  std::string members;
  for (auto n = below(random, 4); n > 0; --n) {
    members += (members.empty() ? "" : ", ") + json_string(pick(random, keys)) + ": " +
               random_value(random, depth);
  }
  return "{" + members + "}";
}

Filter::Path random_path(Random& random) {
  if (below(random, 6) == 0) return {"role"};
  Filter::Path path{"metadata"};
  for (auto n = 1 + below(random, 2); n > 0; --n) path.push_back(pick(random, keys));
  return path;
}

Filter random_leaf(Random& random) {
  constexpr Kind kinds[] = {Kind::eq, Kind::ne, Kind::lt,     Kind::le,      Kind::gt,
                            Kind::ge, Kind::in, Kind::exists, Kind::contains};
  Filter filter;
  filter.kind = kinds[below(random, std::size(kinds))];
  filter.path = random_path(random);
  const bool of_role = filter.path.size() == 1;
  std::size_t values = filter.kind == Kind::exists ? 0 : 1;
  if (filter.kind == Kind::in) values = below(random, 4);
  for (; values > 0; --values) {
    filter.values.push_back(of_role && below(random, 2) ? json_string(pick(random, roles))
                                                        : random_value(random, 2));
  }
  return filter;
}

Filter random_tree(Random& random, int depth) {
  const auto kind = depth > 0 ? below(random, 10) : 9;
  if (kind > 4) return random_leaf(random);
  if (kind < 2) return Filter::negation(random_tree(random, depth - 1));
  std::vector<Filter> parts;
  for (auto n = below(random, 4); n > 0; --n) parts.push_back(random_tree(random, depth - 1));
  return kind == 2 ? Filter::all_of(std::move(parts)) : Filter::any_of(std::move(parts));
}

}  // namespace

std::string random_metadata(Random& random) {
  return random_object(random, 3);
}

std::string random_role(Random& random) {
  return pick(random, roles);
}

Filter random_filter(Random& random) {
  return random_tree(random, 3);
}

}  // namespace threadkeep::testing
