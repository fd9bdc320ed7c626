// SPDX-License-Identifier: Apache-2.0
#include "layers/hot_side.hpp"

#include <algorithm>
#include <utility>

#include "threadkeep/log.hpp"

namespace threadkeep {

HotSide::HotSide(std::unique_ptr<Backend> backend, std::chrono::milliseconds timeout,
                 Metrics& metrics)
    : backend_(std::move(backend)),
      timeout_(timeout),
      failures_(metrics.counter("threadkeep_tiered_hot_failures_total",
                                "Calls of the hot store of a tiered one that failed.")) {}

HotSide::Found HotSide::get(std::string_view key, const Call& call) {
  Found found;
  found.answered =
      attempt(call, [&](const Call& part) { found.value = backend_->cache()->get(key, part); });
  return found;
}

bool HotSide::set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
                  const Call& call) {
  return attempt(call, [&](const Call& part) { backend_->cache()->set(key, value, keep, part); });
}

bool HotSide::erase(std::string_view key, const Call& call) {
  return attempt(call, [&](const Call& part) { backend_->cache()->erase(key, part); });
}

template <class Run>
bool HotSide::attempt(const Call& call, Run run) {
  const auto admission = admit();
  if (admission == Breaker::Admission::refused) return false;
  const auto share = share_of(call);
  try {
    run({Deadline::after(share), call.stop});
    note_answer();
    return true;
  } catch (const Error& error) {
    // A caller without time or patience says nothing about the cache.
    const bool patient = error.code() != Code::timeout || share >= timeout_ / 4;
    note_failure(admission, error, patient && !call.stop.stop_requested());
  } catch (...) {
    note_failure(admission, Error(Code::internal, "no memory"), false);
    throw;
  }
  return false;
}

// The durable store needs time as well.
std::chrono::nanoseconds HotSide::share_of(const Call& call) const {
  const std::chrono::nanoseconds timeout = timeout_;
  return call.deadline.is_never() ? timeout : std::min(timeout, call.deadline.left() / 2);
}

Breaker::Admission HotSide::admit() {
  const std::lock_guard lock(mutex_);
  return breaker_.admits(Deadline::Clock::now());
}

void HotSide::note_answer() {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = breaker_.succeeded();
  }
  if (!closed) return;
  log({LogLevel::info, "hot_store_back", "the hot store of a tiered store answers again", {}});
}

void HotSide::note_failure(Breaker::Admission admission, const Error& error, bool counts) {
  failures_.add();
  bool opened = false;
  {
    const std::lock_guard lock(mutex_);
    if (counts) {
      opened = breaker_.failed(Deadline::Clock::now(), admission);
    } else {
      breaker_.ended(admission);
    }
  }
  if (!opened) return;
  log({LogLevel::warning,
       "hot_store_failed",
       "the hot store of a tiered store fails; all is read from the durable one until it is back",
       {{"error", error.what()}}});
}

}  // namespace threadkeep
