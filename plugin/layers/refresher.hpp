// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "layers/tuple_codec.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep {

/// Which threads of a tiered store have to be copied to its hot one, and the worker that does so:
/// one for each store, started when it is first needed. A thread that is written again and again
/// waits until it is quiet, and is copied once. Thread-safe.
class Refresher {
 public:
  using Time = Deadline::Clock::time_point;
  /// Copies one thread: what a reader found, or else what it reads itself. False: again later.
  using Copy = std::function<bool(const std::string& thread_id,
                                  const std::optional<VersionedTuple>& found, const Call& call)>;

  struct Options {
    std::chrono::milliseconds quiet{500};       ///< Without a write, until a thread is copied.
    std::chrono::milliseconds retry{1'000};     ///< After a copy that failed.
    std::chrono::milliseconds timeout{10'000};  ///< Of one copy.
    std::size_t most_threads = 10'000;
    std::size_t most_bytes = std::size_t{64} << 20;  ///< Of what readers found.
  };

  Refresher(Copy copy, const Options& options) : copy_(std::move(copy)), options_(options) {}
  /// Ends a copy that is under way; those that wait are dropped.
  ~Refresher();

  /// A write of the thread begins: until it was copied after the write, is_waiting().
  void begin(const std::string& thread_id);
  /// It has ended. False where too many wait: the thread is forgotten, and will not be copied.
  bool end(const std::string& thread_id, bool at_once);
  /// What a reader found, to be copied at once; dropped where that would be too much.
  void offer(VersionedTuple found);
  /// Whether a write is not yet in the hot store, as far as this process knows.
  bool is_waiting(const std::string& thread_id);
  /// Copies all that waits now, and returns when nothing is left. Throws Error(timeout).
  void drain(const Call& call);

 private:
  struct Item {
    unsigned writers = 0;
    std::uint64_t changes = 0;
    bool written = false;  // not only found by a reader
    bool copying = false;
    Time due;
    std::optional<VersionedTuple> found;
  };
  using Items = std::map<std::string, Item>;

  Item& item(const std::string& thread_id);
  void schedule(const std::string& thread_id, Item& item, Time due);
  void unschedule(const std::string& thread_id, Item& item);
  void forget_found(Item& item);
  void run(const std::stop_token& stop);
  bool wait_for_due(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void copy_first(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);

  const Copy copy_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Items items_;                                 // guarded by mutex_, as all that follows
  std::set<std::pair<Time, std::string>> due_;  // those that nobody writes or copies
  std::size_t bytes_ = 0;                       // of what readers found
  std::jthread worker_;                         // the last: it uses the others
};

}  // namespace threadkeep
