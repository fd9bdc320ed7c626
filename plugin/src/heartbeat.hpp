// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace threadkeep {

/// Says now and then, in a thread of its own, that the holder of a lock lives: what it does may
/// take long, and write nothing.
class Heartbeat {
 public:
  /// Calls `beat` after each `period`, with a token that ends it. `beat` throws nothing: what
  /// cannot be said now is said the next time.
  Heartbeat(std::chrono::milliseconds period, std::function<void(const std::stop_token&)> beat);

 private:
  const std::chrono::milliseconds period_;
  const std::function<void(const std::stop_token&)> beat_;
  std::jthread thread_;  // The last: it uses the others.
};

/// "process 4242 on host db1", for people.
std::string describe_this_process();

/// A name that no other process has.
std::string random_owner();

}  // namespace threadkeep
