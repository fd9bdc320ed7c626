// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "fork_locks.hpp"
#include "layers/call_layer.hpp"
#include "layers/outage.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// Error::native() of a call that an open breaker refused.
inline constexpr std::string_view breaker_open = "breaker_open";

/// Whether a store is called. Closed: yes. Open: not before a moment that comes. Then one call may
/// try: it closes the breaker, or opens it for longer; when it does neither for as long as the
/// pause before, another one may try. Pings alone close it only where no call comes between two of
/// them, for a store may answer pings and nothing else. A value without a clock; not thread-safe.
class Breaker {
 public:
  using Time = Deadline::Clock::time_point;

  /// How a call goes to the store, if it does.
  enum class Admission { refused, normal, trial };

  explicit Breaker(const BreakerOptions& options) : options_(options) {}

  /// Who is admitted says how the call ended, in one of three ways.
  Admission admits(Time now);
  /// The store answered. True when that closed it.
  bool succeeded();
  /// True when that opened it, from closed.
  bool failed(Time now, Admission admission);
  /// The call ended without a sign of the store.
  void ended(Admission admission);
  /// The store answered a ping: the next call may try. True when that closed it: it answered
  /// another one `open_for` before, and no call has failed since.
  bool answered(Time now);
  /// It did not answer a ping.
  void was_silent() { answers_since_.reset(); }

  bool is_closed() const noexcept { return state_ == State::closed; }
  /// When the next call is admitted, while it is not closed.
  Time until() const noexcept { return until_; }

 private:
  enum class State { closed, open, trying };

  void open(Time now);

  BreakerOptions options_;
  State state_ = State::closed;
  unsigned failures_ = 0;
  std::chrono::milliseconds pause_{};  // the last one; zero when closed
  Time until_{};
  std::optional<Time> answers_since_;  // pings, while it is not closed
};

/// The layer; see BreakerOptions. Logs breaker_opened and breaker_closed.
class BreakerLayer final : public CallLayer<BreakerLayer> {
 public:
  BreakerLayer(std::unique_ptr<Backend> inner, const BreakerOptions& options, std::string role,
               std::shared_ptr<Metrics> metrics);
  ~BreakerLayer() override;

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override;
  /// Asks the store whatever the state is; see Breaker::answered(). Degraded while it is not
  /// closed.
  Health ping(const Call& call) override;
  std::vector<Finding> examine(const Call& call) override;

  template <class Read>
  auto around(std::string_view operation, const Call& call, Read read) {
    const Admitted admitted = admit(operation);
    return watched(admitted, call, [&] {
      auto result = read(call);
      note_answer();
      return result;
    });
  }

 private:
  using Time = Breaker::Time;
  struct Admitted {
    Time began;
    Breaker::Admission admission;
  };

  /// Throws Error(unavailable) with native code "breaker_open".
  Admitted admit(std::string_view operation);
  template <class Run>
  auto watched(const Admitted& admitted, const Call& call, Run run) {
    try {
      return run();
    } catch (const Error& error) {
      note(error, admitted, call);
      throw;
    } catch (...) {
      note_nothing(admitted);
      throw;
    }
  }
  void note(const Error& error, const Admitted& admitted, const Call& call);
  void note(const std::vector<Outcome>& outcomes, const Admitted& admitted, const Call& call);
  void note_answer();
  void tell_closed(Time since);
  void note_failure(const Error& error, const Admitted& admitted);
  void note_nothing(const Admitted& admitted);

  const std::string backend_;
  const std::string role_;
  const unsigned failures_;  // that open it
  const std::shared_ptr<Metrics> metrics_;
  Gauge& open_;
  Counter& opened_;
  Counter& refused_;
  const ForkGuard fork_guard_;

  OwnProcess<std::mutex> mutex_;
  Breaker breaker_;
  Time opened_at_{};
  std::string last_failure_;
};

}  // namespace threadkeep
