// SPDX-License-Identifier: Apache-2.0
#include "table_lock.hpp"

#include <algorithm>
#include <stop_token>
#include <thread>

#include "heartbeat.hpp"
#include "sqlite/schema_sql.hpp"
#include "table_ledger.hpp"
#include "table_snapshot.hpp"

namespace threadkeep::sqlite {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t second = 1'000'000;
// Without a heartbeat for so long, a holder counts as dead.
constexpr std::int64_t stale_after = 60 * second;
constexpr auto renewal = std::chrono::seconds(5);
constexpr auto poll = milliseconds(100);
constexpr auto time_to_release = std::chrono::seconds(5);
constexpr const char* lock_table = "threadkeep_tier_lock";

struct Holder {
  std::string description;
  std::int64_t fence = 0;
  std::int64_t taken_at = 0;
  std::int64_t heartbeat = 0;

  // A heartbeat far in the future is one of a clock that was wrong.
  bool is_stale(std::int64_t now) const { return std::abs(now - heartbeat) > stale_after; }
  tables::LockHolder for_people(std::int64_t now) const {
    return {description + ", for " + std::to_string((now - taken_at) / second) + " s, last seen " +
            std::to_string((now - heartbeat) / second) + " s ago"};
  }
};

std::optional<Holder> holder_of(Connection& connection) {
  if (!has_table(connection, lock_table)) return {};
  Rows rows = connection.query(
      "SELECT description, fence, taken_at, heartbeat FROM main.threadkeep_tier_lock");
  if (!rows.next()) return {};
  return Holder{rows.text(0), rows.integer(1), rows.integer(2), rows.integer(3)};
}

// The fence grows although the table goes with each release.
void write_claim(Connection& connection, const LockState::Claim& claim, std::int64_t now) {
  connection.execute(
      "INSERT OR REPLACE INTO main.threadkeep_tier_lock "
      "(id, owner, description, fence, taken_at, heartbeat) VALUES (1, ?1, ?2, ?3, ?4, ?4)",
      claim.owner, describe_this_process(), claim.fence, now);
}

// The claim, or who has the lock.
std::optional<LockState::Claim> try_to_take(Connection& connection, std::optional<Holder>& holder) {
  connection.begin_write();
  const std::int64_t now = now_in_microseconds();
  holder = holder_of(connection);
  if (holder && !holder->is_stale(now)) {
    connection.rollback();
    return {};
  }
  connection.run_script(tier_lock_sql);
  const LockState::Claim claim{random_owner(), std::max(now, holder ? holder->fence + 1 : 0)};
  write_claim(connection, claim, now);
  connection.commit();
  return claim;
}

bool is_busy(const Error& error) {
  return error.code() == Code::unavailable && error.native().starts_with("SQLITE_BUSY");
}

void sleep_for(milliseconds time, const Call& call) {
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(time, call.deadline.left()));
}

// The claim, or nothing and who has the lock.
std::optional<LockState::Claim> attempt(Connection& connection, tables::LockHolder& holder) {
  std::optional<Holder> found;
  try {
    connection.check_call();
    if (auto claim = try_to_take(connection, found)) return claim;
  } catch (const Error& error) {
    connection.rollback();
    if (!is_busy(error)) throw;
  }
  holder = found ? found->for_people(now_in_microseconds())
                 : tables::LockHolder{"another program that is writing to the file"};
  return {};
}

[[noreturn]] void refuse(const Connection& connection, const tables::LockHolder& holder) {
  throw Error(Code::unavailable,
              "'" + connection.path() + "' is locked for a migration by " + holder.description +
                  "; wait for its end, or end it: the lock can be taken 60 s after its holder was "
                  "last seen",
              tables::lock_held);
}

LockState::Claim wait_for_claim(Connection& connection, milliseconds patience,
                                const tables::OnWaiting& waiting, const Call& call) {
  const auto end = steady_clock::now() + patience;
  auto next_report = steady_clock::now();
  tables::LockHolder holder;
  while (true) {
    if (auto claim = attempt(connection, holder)) return *claim;
    if (steady_clock::now() >= end) refuse(connection, holder);
    if (waiting && steady_clock::now() >= next_report) {
      waiting(holder);
      next_report += std::chrono::seconds(1);
    }
    sleep_for(poll, call);
  }
}

/// Renews the lock on a connection of its own. A lock that is lost is found by whoever looks at it.
class Renewal {
 public:
  Renewal(Settings settings, std::shared_ptr<LockState> state, const Call& call)
      : settings_(std::move(settings)),
        connection_(settings_, Connection::Purpose::write, Connection::Missing::fail, call),
        state_(std::move(state)) {
    connection_.finish();
    heartbeat_.emplace(renewal, [this](const std::stop_token& stop) { renew(stop); });
  }

 private:
  void renew(const std::stop_token& stop) noexcept {
    if (state_->writing) return;
    try {
      const Call call{.deadline = Deadline::after(renewal), .stop = stop};
      const Use use(connection_, call);
      connection_.begin_write();
      state_->confirm(connection_);
      connection_.commit();
    } catch (const Error&) {
      connection_.rollback();
    }
  }

  const Settings settings_;
  Connection connection_;
  const std::shared_ptr<LockState> state_;
  std::optional<Heartbeat> heartbeat_;  // The last: it uses the others.
};

class TableLock final : public tables::MigrationLock {
 public:
  /// `impatient`: waits for no other writer.
  TableLock(const Settings& settings, const Settings& impatient, std::shared_ptr<LockState> state,
            LockState::Claim claim, const Call& call)
      : connection_(settings, Connection::Purpose::write, Connection::Missing::fail, call),
        state_(std::move(state)),
        claim_(std::move(claim)),
        renewed_(steady_clock::now()) {
    connection_.finish();
    state_->set(claim_);
    renewal_.emplace(impatient, state_, call);
  }

  ~TableLock() override {
    renewal_.reset();
    state_->set({});
    release();
  }

  std::string name() const override {
    return "a row in the table threadkeep_tier_lock of '" + connection_.path() + "'";
  }

  void check(const Call& call) override {
    if (state_->writing) return;
    const Use use(connection_, call);
    if (steady_clock::now() - renewed_ < renewal && is_ours()) return;
    connection_.begin_write();
    try {
      state_->confirm(connection_);
      connection_.commit();
    } catch (...) {
      connection_.rollback();
      throw;
    }
    renewed_ = steady_clock::now();
  }

 private:
  bool is_ours() {
    const auto holder = holder_of(connection_);
    return holder && holder->fence == claim_.fence;
  }

  // What cannot be released now is stale after a while.
  void release() noexcept {
    try {
      const Call call{.deadline = Deadline::after(time_to_release), .stop = {}};
      const Use use(connection_, call);
      connection_.begin_write();
      if (is_ours()) connection_.run_script("DROP TABLE main.threadkeep_tier_lock");
      connection_.commit();
    } catch (const Error&) {
      connection_.rollback();
    }
  }

  Connection connection_;
  const std::shared_ptr<LockState> state_;
  const LockState::Claim claim_;
  steady_clock::time_point renewed_;
  std::optional<Renewal> renewal_;
};

}  // namespace

std::optional<LockState::Claim> LockState::claim() const {
  const std::scoped_lock lock(mutex_);
  return claim_;
}

void LockState::set(std::optional<Claim> claim) {
  const std::scoped_lock lock(mutex_);
  claim_ = std::move(claim);
}

void LockState::confirm(Connection& connection) const {
  const auto ours = claim();
  if (!ours) return;
  std::int64_t changed = 0;
  if (has_table(connection, lock_table)) {
    changed = connection.execute(
        "UPDATE main.threadkeep_tier_lock SET heartbeat = ?3 WHERE owner = ?1 AND fence = ?2",
        ours->owner, ours->fence, now_in_microseconds());
  }
  if (changed == 1) return;
  throw Error(Code::conflict,
              "the migration lock of '" + connection.path() +
                  "' was taken by another process, after this one was silent for a minute; nothing "
                  "more is written. Run the same command again when the other one has ended");
}

std::unique_ptr<tables::MigrationLock> take_lock(const Settings& settings,
                                                 const std::shared_ptr<LockState>& state,
                                                 std::chrono::milliseconds patience,
                                                 const tables::OnWaiting& waiting,
                                                 const Call& call) {
  Settings impatient = settings;
  impatient.busy = std::min<milliseconds>(settings.busy, poll);
  Connection connection(impatient, Connection::Purpose::write, Connection::Missing::fail, call);
  auto claim = wait_for_claim(connection, patience, waiting, call);
  return std::make_unique<TableLock>(settings, impatient, state, std::move(claim), call);
}

}  // namespace threadkeep::sqlite
