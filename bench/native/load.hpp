// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <threadkeep/threadkeep.hpp>

namespace bench {

/// Of each measurement.
inline double seconds = 2;
/// How often each is repeated, after a first one, which warms up.
inline int repetitions = 5;

/// 4 KiB of words, the value of one channel.
const std::string& payload();
/// A document with 8 channels; all puts have the same.
const std::string& document();

/// A thread of conversation that only puts: each step changes two of its channels.
class Writer {
 public:
  Writer(threadkeep::Checkpointer store, int number);

  void put();

 private:
  threadkeep::Checkpointer store_;
  std::string thread_id_;
  int step_ = 0;
};

/// Puts per second of as many threads as are asked for.
double puts_per_second(const threadkeep::Checkpointer& store, int threads);
/// How often per second one caller can do it.
double calls_per_second(const std::function<void()>& call);

/// Measures both in turns, and prints the medians and the ratio with its spread.
void compare(const std::string& what, const std::function<double()>& ours, const std::string& other,
             const std::function<double()>& theirs);

void compare_postgres();
void compare_redis();
void compare_sqlite();
/// Reads of one caller: the time of each, from Postgres alone and with a hot store in front of it.
void compare_tiered();

}  // namespace bench
