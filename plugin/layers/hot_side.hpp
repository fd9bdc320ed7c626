// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "fork_locks.hpp"
#include "layers/breaker.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/metrics.hpp"
#include "threadkeep/value_cache.hpp"

namespace threadkeep {

/// The cache of a tiered store: it may fail and be slow, and nobody suffers. Each call has a short
/// deadline; after some failures in a row none is made for a while. Nothing is thrown for a cache
/// that fails. Thread-safe.
class HotSide {
 public:
  /// `backend` has a cache().
  HotSide(std::unique_ptr<Backend> backend, std::chrono::milliseconds timeout, Metrics& metrics);

  /// What a look for an entry came to.
  struct Found {
    bool answered = false;
    std::optional<Bytes> value;
  };
  Found get(std::string_view key, const Call& call);
  /// True when it is done.
  bool set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
           const Call& call);
  bool erase(std::string_view key, const Call& call);

  /// The store of the cache, asked itself.
  Health ping(const Call& call) {
    return backend_->ping({Deadline::after(share_of(call)), call.stop});
  }
  std::size_t max_value_bytes() const { return backend_->capabilities().max_value_bytes; }

 private:
  template <class Run>
  bool attempt(const Call& call, Run run);
  std::chrono::nanoseconds share_of(const Call& call) const;
  Breaker::Admission admit();
  void note_answer();
  void note_failure(Breaker::Admission admission, const Error& error, bool counts);

  const std::unique_ptr<Backend> backend_;
  const std::chrono::milliseconds timeout_;
  Counter& failures_;
  OwnProcess<std::mutex> mutex_;
  Breaker breaker_{BreakerOptions{}};  // guarded by mutex_
};

}  // namespace threadkeep
