// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace threadkeep::ops {

/// Takes a file apart and notes everything that is wrong in it, so that all of it can be told at
/// once. Not thread-safe.
class Reading {
 public:
  Reading(std::string name, const Variables& variables)
      : name_(std::move(name)), variables_(variables) {}

  struct Member {
    YAML::Mark key;
    YAML::Node value;

    /// Where a person looks for it. An empty value has no place of its own.
    YAML::Mark place() const { return value.IsNull() ? key : value.Mark(); }
  };
  using Members = std::map<std::string, Member>;

  /// The members of a map by their keys. Unknown keys are problems, unless `known` is empty.
  Members members(const Member& map, const std::string& what,
                  const std::vector<std::string>& known);
  /// A value with its variables filled in; absent when it has a problem, and an empty one has.
  std::optional<std::string> text(const Member& member, const std::string& key);
  /// A store's address.
  std::optional<std::string> url(const Member& member);
  std::optional<std::chrono::milliseconds> duration(const Member& member, const std::string& key);

  void problem(const YAML::Mark& place, const std::string& text);
  /// Throws Error(invalid_argument) with all problems, in the order of their places, if there are
  /// any.
  void finish() const;

 private:
  struct Problem {
    YAML::Mark place;
    std::string text;
  };

  const std::string name_;
  const Variables& variables_;
  std::vector<Problem> problems_;
};

}  // namespace threadkeep::ops
