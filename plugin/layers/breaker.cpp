// SPDX-License-Identifier: Apache-2.0
#include "layers/breaker.hpp"

#include <algorithm>

#include "threadkeep/log.hpp"

namespace threadkeep {

Breaker::Admission Breaker::admits(Time now) {
  if (state_ == State::closed) return Admission::normal;
  if (now < until_) return Admission::refused;
  state_ = State::trying;
  until_ = now + pause_;  // a trial that never ends must not be the last one
  return Admission::trial;
}

// Also of a call that began before it opened: the store answers.
bool Breaker::succeeded() {
  const bool closes = state_ != State::closed;
  state_ = State::closed;
  failures_ = 0;
  pause_ = pause_.zero();
  answers_since_.reset();
  return closes;
}

bool Breaker::failed(Time now, Admission admission) {
  if (state_ != State::closed) {
    if (state_ == State::trying && admission == Admission::trial) open(now);
    return false;  // what began before it opened says nothing new
  }
  if (++failures_ < options_.failures) return false;
  open(now);
  return true;
}

void Breaker::ended(Admission admission) {
  if (state_ != State::trying || admission != Admission::trial) return;
  state_ = State::open;
  until_ = Time::min();
}

bool Breaker::answered(Time now) {
  if (state_ == State::closed) return false;
  until_ = std::min(until_, now);
  if (!answers_since_) answers_since_ = now;
  const bool is_tried = state_ == State::trying || now - *answers_since_ < options_.open_for;
  return !is_tried && succeeded();
}

void Breaker::open(Time now) {
  state_ = State::open;
  pause_ = pause_ == pause_.zero() ? options_.open_for : pause_ * 2;
  pause_ = std::min(pause_, options_.longest);
  until_ = now + pause_;
  answers_since_.reset();
}

namespace {

std::string milliseconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

BreakerLayer::BreakerLayer(std::unique_ptr<Backend> inner, const BreakerOptions& options,
                           std::string role, std::shared_ptr<Metrics> metrics)
    : CallLayer(std::move(inner)),
      backend_(this->inner().capabilities().name),
      role_(std::move(role)),
      failures_(options.failures),
      metrics_(std::move(metrics)),
      open_(metrics_->gauge("threadkeep_breaker_open", "Stores that are not called for a while.",
                            {{"backend", backend_}, {"role", role_}})),
      opened_(metrics_->counter("threadkeep_breaker_opened_total",
                                "How often a store was no longer called.",
                                {{"backend", backend_}, {"role", role_}})),
      refused_(metrics_->counter("threadkeep_breaker_refused_total",
                                 "Calls that were refused because the store had failed.",
                                 {{"backend", backend_}, {"role", role_}})),
      breaker_(options) {}

// In a forked child the gauge does not count the parent's.
BreakerLayer::~BreakerLayer() {
  if (!fork_guard_.in_child() && !breaker_.is_closed()) open_.add(-1);
}

BreakerLayer::Admitted BreakerLayer::admit(std::string_view operation) {
  const auto now = Deadline::Clock::now();
  const std::lock_guard lock(mutex_);
  const auto admission = breaker_.admits(now);
  if (admission != Breaker::Admission::refused) return {now, admission};
  refused_.add();
  throw Error(
      Code::unavailable,
      "the " + backend_ +
          " store failed several times and is left alone for a while; last: " + last_failure_,
      breaker_open, operation);
}

std::vector<Outcome> BreakerLayer::apply(std::span<const Mutation> batch, const Call& call) {
  if (batch.empty()) return {};
  const Admitted admitted = admit(operation_name(batch.front()));
  return watched(admitted, call, [&] {
    auto outcomes = inner().apply(batch, call);
    note(outcomes, admitted, call);
    return outcomes;
  });
}

Health BreakerLayer::ping(const Call& call) {
  Health health = inner().ping(call);
  std::unique_lock lock(mutex_);
  if (!health.ok) breaker_.was_silent();
  if (health.ok && breaker_.answered(Deadline::Clock::now())) {
    const Time since = opened_at_;
    lock.unlock();
    tell_closed(since);
    return health;
  }
  if (breaker_.is_closed()) return health;
  health.degraded = true;
  health.detail += health.ok ? "; it failed of late and answers pings again: the next call may try "
                               "(breaker half-open)"
                             : "; it is not called for a while (breaker open)";
  return health;
}

std::vector<Finding> BreakerLayer::examine(const Call& call) {
  auto findings = inner().examine(call);
  const std::lock_guard lock(mutex_);
  if (breaker_.is_closed()) {
    findings.push_back({Finding::Level::good, "breaker",
                        "closed; opens after " + std::to_string(failures_) + " failures in a row",
                        ""});
  } else {
    findings.push_back({Finding::Level::warning, "breaker", "open; last failure: " + last_failure_,
                        "see whether the store runs; it is called again by itself"});
  }
  return findings;
}

void BreakerLayer::note(const Error& error, const Admitted& admitted, const Call& call) {
  switch (sign_of(error, {admitted.began, Deadline::Clock::now(), call.deadline})) {
    case Sign::answers:
      return note_answer();
    case Sign::fails:
      return note_failure(error, admitted);
    case Sign::nothing:
      return note_nothing(admitted);
  }
}

// One that was carried out is a store that answers.
void BreakerLayer::note(const std::vector<Outcome>& outcomes, const Admitted& admitted,
                        const Call& call) {
  const CallTimes times{admitted.began, Deadline::Clock::now(), call.deadline};
  const Error* failure = nullptr;
  for (const Outcome& outcome : outcomes) {
    const Sign sign = outcome.error ? sign_of(*outcome.error, times) : Sign::answers;
    if (sign == Sign::answers) return note_answer();
    if (sign == Sign::fails) failure = &*outcome.error;
  }
  return failure ? note_failure(*failure, admitted) : note_nothing(admitted);
}

void BreakerLayer::note_answer() {
  Time since;
  {
    const std::lock_guard lock(mutex_);
    if (!breaker_.succeeded()) return;
    since = opened_at_;
  }
  tell_closed(since);
}

void BreakerLayer::tell_closed(Time since) {
  open_.add(-1);
  log({LogLevel::info,
       "breaker_closed",
       "the " + backend_ + " store answers again",
       {{"backend", backend_},
        {"role", role_},
        {"open_ms", milliseconds(Deadline::Clock::now() - since)}}});
}

void BreakerLayer::note_failure(const Error& error, const Admitted& admitted) {
  const auto now = Deadline::Clock::now();
  {
    const std::lock_guard lock(mutex_);
    last_failure_ = error.what();
    if (!breaker_.failed(now, admitted.admission)) return;
    opened_at_ = now;
    open_.add(1);
  }
  opened_.add();
  log({LogLevel::warning,
       "breaker_opened",
       "the " + backend_ + " store failed several times and is not called for a while",
       {{"backend", backend_}, {"role", role_}, {"error", error.what()}}});
}

void BreakerLayer::note_nothing(const Admitted& admitted) {
  const std::lock_guard lock(mutex_);
  breaker_.ended(admitted.admission);
}

}  // namespace threadkeep
