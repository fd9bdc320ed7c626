// SPDX-License-Identifier: Apache-2.0
#include "heartbeat.hpp"

#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <random>
#include <utility>

namespace threadkeep {

Heartbeat::Heartbeat(std::chrono::milliseconds period,
                     std::function<void(const std::stop_token&)> beat)
    : period_(period), beat_(std::move(beat)), thread_([this](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any ended;
        std::unique_lock lock(mutex);
        while (!ended.wait_for(lock, stop, period_, [&] { return stop.stop_requested(); })) {
          beat_(stop);
        }
      }) {}

std::string describe_this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(getpid()) + " on host " + host.data();
}

std::string random_owner() {
  std::random_device source;
  return std::to_string(source()) + "-" + std::to_string(source());
}

}  // namespace threadkeep
