// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "completion_queue.hpp"
#include "request.hpp"

namespace threadkeep::python {

/// Cancels one asynchronous call.
class PendingCall {
 public:
  void cancel() { stop_.request_stop(); }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
};

/// A store as Python holds it: adds closing, and a clear end in a forked process, where the
/// threads and connections of the store do not exist.
///
/// Used with the GIL held; it is released around every call of a store that may wait. Thread-safe.
class NativeStore {
 public:
  explicit NativeStore(const std::string& url);
  ~NativeStore();
  NativeStore(const NativeStore&) = delete;
  NativeStore& operator=(const NativeStore&) = delete;

  /// Carries out a request and waits for it. No timeout means for ever. Another thread may cancel
  /// it through `pending`, which may be null.
  nanobind::object call(Request& request, std::optional<double> timeout, PendingCall* pending);

  /// Queues a request; its end is pushed to `queue` under `token`.
  PendingCall submit(Request& request, std::optional<double> timeout, const LoopQueue& queue,
                     std::uint64_t token);

  /// Later calls fail; calls in flight are asked to stop and waited for. Idempotent.
  void close();

  Capabilities capabilities();

  /// The interpreter is about to end: waits for stores that other threads close or destroy at this
  /// moment. Whoever closes one from now on keeps the GIL, which he might not get back.
  static void end_all();
  /// In a forked child: the threads that were closing stores do not exist here.
  static void begin_anew() noexcept;

 private:
  class InFlight;

  void check_process() const;
  bool in_own_process() const;

  const pid_t process_;
  std::mutex mutex_;
  std::shared_ptr<Store> store_;
  const bool blocking_;  // Its calls may wait for a disk, a network or another process.
  std::stop_source closing_;
  std::atomic<int> in_flight_ = 0;  // A condition variable could not be destroyed in a child.
};

}  // namespace threadkeep::python
