// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include <algorithm>
#include <utility>

#include "durability.hpp"
#include "handshake.hpp"

namespace threadkeep::redis {

Lease::~Lease() {
  if (connection_) database_->give_back(std::move(connection_));
}

Database::Database(Settings settings)
    : settings_(std::move(settings)), finder_(settings_.sentinels) {
  idle_.reserve(settings_.pool_size);
}

// The caller closes dead connections when the lock is free.
std::unique_ptr<Connection> Database::take_idle(Idle& dead) {
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  if (connection->alive()) return connection;
  dead.push_back(std::move(connection));
  std::move(idle_.begin(), idle_.end(), std::back_inserter(dead));
  idle_.clear();
  return nullptr;
}

void Database::wait_for_room(std::unique_lock<std::mutex>& lock, const Call& call) {
  const auto room = [&] { return lent_ < settings_.pool_size; };
  const auto patience = Deadline::after(settings_.pool_wait);
  const auto until = std::min(patience, call.deadline);
  ++waiting_;
  if (!room()) count();
  const bool found = until.is_never() ? changed_.wait(lock, call.stop, room)
                                      : changed_.wait_until(lock, call.stop, until.at(), room);
  --waiting_;
  count();
  const bool takes = found && !call.stop.stop_requested() && !call.deadline.passed();
  if (takes) return;
  // The notification that woke this call may have been the only one.
  if (room()) changed_.notify_one();
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "nothing was done");
  if (call.deadline.passed()) throw Error(Code::timeout, "nothing was done");
  throw Error(Code::unavailable,
              "all " + std::to_string(settings_.pool_size) +
                  " connections were in use for longer than pool_wait; raise "
                  "pool_size or do less at once",
              "pool_wait");
}

Lease Database::lease(const Call& call) {
  Idle dead;
  {
    std::unique_lock lock(mutex_);
    wait_for_room(lock, call);
    ++lent_;
    auto connection = take_idle(dead);
    count();
    if (connection) return {*this, std::move(connection)};
  }
  dead.clear();
  try {
    return {*this, open(settings_, call)};
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --lent_;
    count();
    changed_.notify_one();
    throw;
  }
}

void Database::setup(const Call& call) {
  Settings creating = settings_;
  creating.first_use = FirstUse::creates;
  open(creating, call);
}

std::unique_ptr<Connection> Database::open(const Settings& settings, const Call& call) {
  auto connection = open_connection(settings, finder_, call);
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !durability_checked_;
  }
  check_durability(*connection, settings, first, call);
  const std::lock_guard lock(mutex_);
  durability_checked_ = true;
  return connection;
}

void Database::count() noexcept {
  gauges_.set(lent_, idle_.size(), waiting_);
}

void Database::give_back(std::unique_ptr<Connection> connection) noexcept {
  const bool others_too = connection->server_lost();
  if (connection->broken()) connection.reset();
  const std::lock_guard lock(mutex_);
  --lent_;
  if (connection) idle_.push_back(std::move(connection));
  if (others_too) idle_.clear();
  count();
  changed_.notify_one();
}

}  // namespace threadkeep::redis
