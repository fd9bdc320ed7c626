// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include "setup.hpp"

namespace threadkeep::sqlite {

std::unique_ptr<Connection> Pool::take(const Call& call) {
  std::unique_lock lock(mutex_);
  const auto is_free = [this] { return in_use_ < capacity_; };
  const bool got = call.deadline.is_never()
                       ? freed_.wait(lock, call.stop, is_free)
                       : freed_.wait_until(lock, call.stop, call.deadline.at(), is_free);
  const bool stopped = call.stop.stop_requested();
  if (stopped || !got || call.deadline.passed()) {
    // The notification that woke this call may have been the only one.
    if (is_free()) freed_.notify_one();
    if (stopped) throw Error(Code::cancelled, "the caller asked to stop");
    throw Error(Code::timeout, "the deadline passed");
  }
  ++in_use_;
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void Pool::give(std::unique_ptr<Connection> connection) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    --in_use_;
    if (connection) idle_.push_back(std::move(connection));
  }
  freed_.notify_one();
}

Lease::~Lease() {
  if (!connection_) return;
  connection_->rollback();
  connection_->finish();
  if (connection_->broken()) connection_.reset();
  pool_->give(std::move(connection_));
}

Lease Database::write(const Call& call) {
  return lease(writers_, Connection::Purpose::write, call);
}

Lease Database::read(const Call& call) {
  fork_guard_.check();
  if (!set_up_) write(call);
  return lease(readers_, Connection::Purpose::read, call);
}

void Database::setup(const Call& call) {
  first_use_ = FirstUse::creates;
  write(call);
}

Lease Database::lease(Pool& pool, Connection::Purpose purpose, const Call& call) {
  fork_guard_.check();
  auto connection = pool.take(call);
  if (connection) {
    connection->start(call);
    return Lease(pool, std::move(connection));
  }
  try {
    return Lease(pool, open(purpose, call));
  } catch (...) {
    pool.give(nullptr);
    throw;
  }
}

// Every connection that writes checks the file first, so that one replaced meanwhile is noticed.
std::unique_ptr<Connection> Database::open(Connection::Purpose purpose, const Call& call) {
  const bool first = purpose == Connection::Purpose::write && !set_up_;
  const bool create = first && first_use_ == FirstUse::creates;
  if (first && !create) check_file_exists(settings_.path);
  auto connection = std::make_unique<Connection>(
      settings_, purpose, create ? Connection::Missing::create : Connection::Missing::fail, call);
  if (purpose == Connection::Purpose::write) {
    set_up(*connection, first_use_, settings_.busy, call);
    set_up_ = true;
  }
  return connection;
}

}  // namespace threadkeep::sqlite
