// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "random_threads.hpp"
#include "threadkeep/store.hpp"

/// \file
/// All that a store holds, and what a sweep has to leave of it.

namespace threadkeep::retention_test {

/// Every kind of limit, for the threads of make_random_thread().
inline constexpr char random_policies[] = R"([
  {"name": "vip", "metadata": {"tier": "vip"}, "idle": "off", "keep_last": 4},
  {"name": "mail", "threads": "mail-*", "idle": "12d", "expiry": "fixed", "keep_last": 2},
  {"name": "chat", "threads": "chat[*]*", "idle": "14d", "age": "8d", "keep_last": 3},
  {"name": "rest", "idle": "10d", "age": "5d"}])";

using Key = std::tuple<std::string, std::string, std::string>;  // thread, namespace, id

Key key_of(const CheckpointTuple& tuple);

/// Everything that a reader gets of a checkpoint.
struct Loaded {
  CheckpointTuple tuple;
  std::vector<ChannelHistory> history;  ///< Of the delta channel.

  friend bool operator==(const Loaded& a, const Loaded& b);
};

using Content = std::map<Key, Loaded>;

Content load(Store& store);

/// What a sweep by the policies of random_policies leaves of threads that nobody writes to.
Content survivors(const std::vector<RandomThread>& threads, const Content& before,
                  std::int64_t now);

/// What was found is as it is in `expected`, which may have more.
void expect_equal(const Content& found, const Content& expected);

/// A child that carries all values of its parent.
CheckpointTuple child_of(const CheckpointTuple& parent, const std::string& source,
                         std::int64_t now);

/// The put that stores it; its values are in the store already.
PutCheckpoint put_of(const CheckpointTuple& tuple);

}  // namespace threadkeep::retention_test
