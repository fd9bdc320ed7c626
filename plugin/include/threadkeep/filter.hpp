// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace threadkeep {

/// A condition on messages, as a tree. It is either true or false, alike on every backend:
///
/// - A path leads from a field, `role` or `metadata`, through members of objects: {"metadata",
///   "user", "name"}. Arrays have no members. A path that leads nowhere is *missing*, which is not
///   the same as null. Of duplicate members the last one counts.
/// - Every leaf is false on a missing path; `exists` says whether it is there. So `negation(eq(p,
///   v))` is true on a missing path and `ne(p, v)` is not.
/// - eq, ne, in and contains compare any JSON by value: 1 equals 1.0, and nothing equals a value
///   of another type.
/// - lt, le, gt and ge compare two numbers, exactly, or two strings, bytewise as UTF-8; they are
///   false for everything else.
///
/// Values are JSON texts. A filter is checked when it is used: an unknown field, a value that is
/// not JSON, or a tree deeper than max_filter_depth is invalid_argument.
struct Filter {
  enum class Kind { all_of, any_of, negation, eq, ne, lt, le, gt, ge, in, exists, contains };
  using Path = std::vector<std::string>;

  Kind kind = Kind::all_of;
  std::vector<Filter> parts;        ///< Of all_of, any_of and negation (one).
  Path path;                        ///< Of the others.
  std::vector<std::string> values;  ///< Any number for `in`, none for `exists`, else one.

  static Filter all_of(std::vector<Filter> parts) {
    return {Kind::all_of, std::move(parts), {}, {}};
  }
  static Filter any_of(std::vector<Filter> parts) {
    return {Kind::any_of, std::move(parts), {}, {}};
  }
  static Filter negation(Filter part) { return {Kind::negation, {std::move(part)}, {}, {}}; }

  static Filter eq(Path path, std::string value) {
    return leaf(Kind::eq, std::move(path), {std::move(value)});
  }
  /// The path is there and its value is another.
  static Filter ne(Path path, std::string value) {
    return leaf(Kind::ne, std::move(path), {std::move(value)});
  }
  static Filter lt(Path path, std::string value) {
    return leaf(Kind::lt, std::move(path), {std::move(value)});
  }
  static Filter le(Path path, std::string value) {
    return leaf(Kind::le, std::move(path), {std::move(value)});
  }
  static Filter gt(Path path, std::string value) {
    return leaf(Kind::gt, std::move(path), {std::move(value)});
  }
  static Filter ge(Path path, std::string value) {
    return leaf(Kind::ge, std::move(path), {std::move(value)});
  }
  /// Equal to one of the values.
  static Filter in(Path path, std::vector<std::string> values) {
    return leaf(Kind::in, std::move(path), std::move(values));
  }
  static Filter exists(Path path) { return leaf(Kind::exists, std::move(path), {}); }
  /// An array with an element that equals the value.
  static Filter contains(Path path, std::string value) {
    return leaf(Kind::contains, std::move(path), {std::move(value)});
  }

  /// True for the filter that every message passes.
  bool empty() const noexcept { return kind == Kind::all_of && parts.empty(); }

 private:
  static Filter leaf(Kind kind, Path path, std::vector<std::string> values) {
    return {kind, {}, std::move(path), std::move(values)};
  }
};

/// Parts within parts, the outermost counted.
inline constexpr std::size_t max_filter_depth = 32;

}  // namespace threadkeep
