// SPDX-License-Identifier: Apache-2.0
#include "pool.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "statement.hpp"

namespace threadkeep::postgres {

namespace {

// How long a connection that was idle may take to answer before it counts as dead.
constexpr std::chrono::nanoseconds longest_trial = std::chrono::seconds(2);

// For the rollback of a connection that goes back to the pool. One that fell silent is given up by
// the call that used it, so this is hardly ever needed.
constexpr std::chrono::milliseconds longest_rollback{500};

// Brings the connection out of a transaction that its user left open.
void roll_back(Connection& connection) noexcept {
  if (connection.broken() || !connection.in_transaction()) return;
  try {
    static const Statement rollback("ROLLBACK");
    connection.run(rollback, {}, Effect::none, Call{Deadline::after(longest_rollback), {}});
  } catch (...) {
    // Still in its transaction: not kept.
  }
}

// Half of the time is left for a new connection.
Call trial_call(const Call& call) {
  const auto time = std::min(longest_trial, call.deadline.left() / 2);
  return Call{Deadline::after(time), call.stop};
}

}  // namespace

class Pool::Place {
 public:
  explicit Place(Pool& pool) noexcept : pool_(&pool) {}
  ~Place() {
    if (pool_) pool_->free_place();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Lease lend(std::unique_ptr<Connection> connection) noexcept {
    return Lease(*std::exchange(pool_, nullptr), std::move(connection));
  }

 private:
  Pool* pool_;
};

Lease::Lease(Pool& pool, std::unique_ptr<Connection> connection)
    : pool_(&pool), connection_(std::move(connection)) {}

Lease::Lease(Lease&& other) noexcept
    : pool_(other.pool_), connection_(std::move(other.connection_)) {}

Lease::~Lease() {
  if (connection_) pool_->give(std::move(connection_));
}

Pool::Pool(const Settings& settings) : settings_(settings) {
  idle_.reserve(settings.pool_size);  // so that give() cannot fail
}

Pool::~Pool() = default;

Lease Pool::take(const Call& call) {
  fork_guard_.check();
  check_call(call);
  wait_for_place(call);
  Place place(*this);
  for (auto idle = pop_idle(); idle.connection; idle = pop_idle()) {
    if (is_fit(idle, call)) return place.lend(std::move(idle.connection));
  }
  return place.lend(std::make_unique<Connection>(settings_, call));
}

void Pool::wait_for_place(const Call& call) {
  const auto until = std::min(call.deadline, Deadline::after(settings_.pool_wait)).at();
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return lent_ < settings_.pool_size; };
  ++waiting_;
  if (!is_free()) count();
  const bool free = freed_.wait_until(lock, call.stop, until, is_free);
  --waiting_;
  const bool takes = free && !call.stop.stop_requested();
  if (takes) ++lent_;
  count();
  if (takes) return;
  // The notification that woke this call may have been the only one.
  if (is_free()) freed_.notify_one();
  check_call(call);
  throw Error(Code::unavailable,
              "all " + std::to_string(settings_.pool_size) +
                  " connections are in use, and none came free within " +
                  std::to_string(settings_.pool_wait.count()) +
                  "ms (pool_wait); raise pool_size, or do less at a time",
              "pool_wait");
}

void Pool::free_place() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    --lent_;
    count();
  }
  freed_.notify_one();
}

void Pool::count() noexcept {
  gauges_.set(lent_, idle_.size(), waiting_);
}

Pool::Idle Pool::pop_idle() {
  const std::scoped_lock lock(mutex_);
  if (idle_.empty()) return {};
  Idle idle = std::move(idle_.back());
  idle_.pop_back();
  count();
  return idle;
}

bool Pool::is_fit(Idle& idle, const Call& call) {
  if (is_expired(*idle.connection)) return false;
  if (!idle.connection->alive()) {
    drop_dead();
    return false;
  }
  return answers(idle, call);
}

// A connection that was just used needs no trial.
bool Pool::answers(Idle& idle, const Call& call) {
  const bool was_idle_long = Clock::now() - idle.since >= settings_.pool_idle_check;
  const bool is_suspect = [&] {
    const std::scoped_lock lock(mutex_);
    return idle.since <= suspect_;
  }();
  if (!was_idle_long && !is_suspect) return true;
  try {
    idle.connection->ping(trial_call(call));
    return true;
  } catch (const Error&) {
    // Others that were idle as long went the same way: nobody should wait for each of them.
    drop_unused_since(idle.since);
    check_call(call);
    return false;
  }
}

void Pool::drop_dead() noexcept {
  const std::scoped_lock lock(mutex_);
  std::erase_if(idle_, [](const Idle& idle) { return !idle.connection->alive(); });
  count();
}

void Pool::drop_unused_since(Clock::time_point time) noexcept {
  const std::scoped_lock lock(mutex_);
  std::erase_if(idle_, [&](const Idle& idle) { return idle.since <= time; });
  count();
}

void Pool::give(std::unique_ptr<Connection> connection) noexcept {
  if (fork_guard_.in_child()) return;
  roll_back(*connection);
  const bool lost = connection->broken();
  const bool keep =
      !lost && !connection->in_transaction() && !connection->worn() && !is_expired(*connection);
  if (!keep) connection.reset();  // before its place is free
  std::unique_ptr<Connection> expired;
  {
    const std::scoped_lock lock(mutex_);
    --lent_;
    if (lost) suspect_ = Clock::now();
    if (!idle_.empty() && is_expired(*idle_.front().connection)) {
      expired = std::move(idle_.front().connection);
      idle_.erase(idle_.begin());
    }
    if (keep) idle_.push_back({std::move(connection), Clock::now()});
    count();
  }
  freed_.notify_one();
}

// Up to a tenth less than the lifetime, so that those opened together do not end together.
bool Pool::is_expired(const Connection& connection) const noexcept {
  if (settings_.pool_max_lifetime == settings_.pool_max_lifetime.zero()) return false;
  const auto spread = connection.opened_at().time_since_epoch().count() % 1000;
  const auto less = settings_.pool_max_lifetime * spread / 10'000;
  return Clock::now() - connection.opened_at() >= settings_.pool_max_lifetime - less;
}

}  // namespace threadkeep::postgres
