// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <future>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;

std::string words(std::size_t size) {
  static constexpr std::string_view letters = "etaoinshrdlucmfwygpbvk    ";
  std::mt19937 chance(1);
  std::string text(size, ' ');
  for (char& letter : text) letter = letters[chance() % letters.size()];
  return text;
}

std::string channel(int number) {
  return "channel" + std::to_string(number % 8);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

const std::string& payload() {
  static const std::string text = words(4096);
  return text;
}

const std::string& document() {
  static const std::string text = [] {
    std::string versions;
    for (int i = 0; i < 8; ++i) {
      versions += (i == 0 ? "\"" : ",\"") + channel(i) + "\":\"00000000000000000000000000000001\"";
    }
    return "{\"v\":4,\"channel_values\":{},\"channel_versions\":{" + versions + "}}";
  }();
  return text;
}

Writer::Writer(threadkeep::Checkpointer store, int number)
    : store_(std::move(store)),
      thread_id_("thread-" + std::to_string(number) + "-" + threadkeep::CheckpointIds().next()) {}

void Writer::put() {
  const std::string parent = std::to_string(step_);
  const std::string id = std::to_string(++step_);
  threadkeep::PutCheckpoint put;
  put.thread_id = thread_id_;
  put.checkpoint_id = id;
  if (step_ > 1) put.parent_checkpoint_id = parent;
  put.document = document();
  for (int i = 0; i < 2; ++i) {
    put.blobs.push_back(
        {channel(2 * step_ + i), id, "msgpack", threadkeep::Bytes::copy(payload())});
  }
  store_.put(std::move(put));
}

double puts_per_second(const threadkeep::Checkpointer& store, int threads) {
  std::atomic<bool> stop = false;
  std::vector<std::future<long>> running;
  const auto begin = Clock::now();
  for (int number = 0; number < threads; ++number) {
    running.push_back(std::async(std::launch::async, [&stop, &store, number] {
      Writer writer(store, number);
      long count = 0;
      for (; !stop; ++count) writer.put();
      return count;
    }));
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  long count = 0;
  for (auto& thread : running) count += thread.get();
  return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - begin).count();
}

double calls_per_second(const std::function<void()>& call) {
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  long count = 0;
  for (; elapsed() < seconds; ++count) call();
  return static_cast<double>(count) / elapsed();
}

void compare(const std::string& what, const std::function<double()>& ours, const std::string& other,
             const std::function<double()>& theirs) {
  ours();  // Connections, statements and files are warm then.
  theirs();
  std::vector<double> us, them, ratios;
  for (int i = 0; i < repetitions; ++i) {
    us.push_back(ours());
    them.push_back(theirs());
    ratios.push_back(us.back() / them.back());
  }
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("%s: threadkeep %.0f/s, %s %.0f/s, ratio %.2f (%.2f to %.2f)\n", what.c_str(),
              median(us), other.c_str(), median(them), median(ratios), *low, *high);
  std::fflush(stdout);
}

}  // namespace bench
