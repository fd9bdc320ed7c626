// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// Goes through the names of threads in bytewise order, over all buckets, by ranges of their
/// registries. Names of threads that have expired may be among them. Not thread-safe.
class ThreadNames {
 public:
  /// Begins after `after`; `expected` names are read at once at first.
  ThreadNames(Connection& connection, const Settings& settings, const Call& call,
              const std::string& after, std::size_t expected);

  /// At most `count` further names; fewer only at the end.
  std::vector<std::string> next(std::size_t count);

 private:
  struct Bucket {
    std::string from;  // lower bound of what comes next
    std::deque<std::string> names;
    bool exhausted = false;
  };

  void refill();
  Bucket* least();

  Connection& connection_;
  const Settings& settings_;
  const Call& call_;
  std::size_t piece_;
  std::vector<Bucket> buckets_;
};

}  // namespace threadkeep::redis
