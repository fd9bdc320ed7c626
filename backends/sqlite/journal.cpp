// SPDX-License-Identifier: Apache-2.0
#include "sqlite/journal.hpp"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "sqlite/schema_sql.hpp"
#include "table_ledger.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr const char* journal_table = "threadkeep_journal";

JournalEntry read_entry(const Rows& rows) {
  return {rows.integer(0), {rows.text(1), rows.text(2), rows.bytes(3)}};
}

Settings beside(const Settings& settings) {
  Settings hold = settings;
  hold.path += "-hold";
  hold.busy = std::chrono::milliseconds(0);
  return hold;
}

bool is_busy(const Error& error) {
  return error.code() == Code::unavailable && error.native().starts_with("SQLITE_BUSY");
}

std::uint64_t count(Connection& connection, std::string_view sql) {
  Rows rows = connection.query(sql);
  rows.next();
  return static_cast<std::uint64_t>(rows.integer(0));
}

}  // namespace

SqliteJournal::SqliteJournal(const Settings& settings, Database& database,
                             const Environment& environment)
    : settings_(settings),
      hold_settings_(beside(settings)),
      database_(database),
      environment_(environment) {}

bool SqliteJournal::is_there(Connection& connection) {
  return has_table(connection, journal_table);
}

bool SqliteJournal::was_used(const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  return is_there(*connection);
}

// Of the process that has the lock, or had it last.
std::string SqliteJournal::holder(const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  if (!is_there(*connection)) return "another process";
  Rows rows = connection->query("SELECT holder FROM threadkeep_journal_holder");
  return rows.next() ? rows.text(0) : "another process";
}

void SqliteJournal::lock(const Call& call) {
  try {
    auto hold = std::make_unique<Connection>(hold_settings_, Connection::Purpose::write,
                                             Connection::Missing::create, call);
    hold->run_script("BEGIN EXCLUSIVE");
    hold->finish();
    hold_ = std::move(hold);
  } catch (const Error& error) {
    if (!is_busy(error)) throw;
    throw Error(Code::unavailable,
                "the journal '" + settings_.path + "' is used by " + holder(call) +
                    "; give each process a journal of its own, or end that process");
  }
}

void SqliteJournal::take(const Call& call) {
  const std::scoped_lock guard(mutex_);
  if (hold_) {
    throw Error(Code::unavailable,
                "the journal is used by another store of this process already; "
                "give each store a journal of its own");
  }
  // First the file: where it is that of another program, nothing is made beside it.
  const Lease connection = database_.write(call);
  lock(call);
  try {
    connection->begin_write();
    connection->run_script(journal_sql);
    connection->execute(
        "INSERT OR REPLACE INTO threadkeep_journal_holder (only_row, holder, taken_at) "
        "VALUES (1, ?1, ?2)",
        "process " + std::to_string(getpid()), environment_.now());
    connection->commit();
  } catch (...) {
    hold_.reset();
    throw;
  }
}

std::int64_t SqliteJournal::append(std::span<const JournalRecord> records, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  std::int64_t first = 0;
  for (const JournalRecord& record : records) {
    Rows rows = connection->query(
        "INSERT INTO threadkeep_journal (lane, kind, body) VALUES (?1, ?2, ?3) RETURNING seq",
        record.lane, record.kind, record.body);
    rows.next();
    if (first == 0) first = rows.integer(0);
    rows.next();
  }
  connection->commit();
  return first;
}

std::vector<JournalEntry> SqliteJournal::read(std::int64_t after, std::size_t max_bytes,
                                              const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  std::vector<JournalEntry> entries;
  std::size_t bytes = 0;
  Rows rows = connection->query(
      "SELECT seq, lane, kind, body FROM threadkeep_journal WHERE seq > ?1 ORDER BY seq", after);
  while (rows.next()) {
    bytes += rows.view(3).size();
    if (!entries.empty() && bytes > max_bytes) break;
    entries.push_back(read_entry(rows));
  }
  return entries;
}

void SqliteJournal::remove(std::span<const std::int64_t> seqs, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  for (const std::int64_t seq : seqs) {
    connection->execute("DELETE FROM threadkeep_journal WHERE seq = ?1", seq);
  }
  connection->commit();
}

void SqliteJournal::set_aside(std::int64_t seq, const std::string& reason, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  connection->execute(
      "INSERT INTO threadkeep_journal_set_aside (seq, lane, kind, reason, at, body) "
      "SELECT seq, lane, kind, ?2, ?3, body FROM threadkeep_journal WHERE seq = ?1",
      seq, reason, environment_.now());
  connection->execute("DELETE FROM threadkeep_journal WHERE seq = ?1", seq);
  connection->commit();
}

std::vector<SetAsideEntry> SqliteJournal::set_aside_entries(std::int64_t after,
                                                            std::size_t max_bytes,
                                                            const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  std::vector<SetAsideEntry> items;
  if (!is_there(*connection)) return items;
  std::size_t bytes = 0;
  Rows rows = connection->query(
      "SELECT seq, lane, kind, body, reason, at FROM threadkeep_journal_set_aside "
      "WHERE seq > ?1 ORDER BY seq",
      after);
  while (rows.next()) {
    bytes += rows.view(3).size();
    if (!items.empty() && bytes > max_bytes) break;
    items.push_back({read_entry(rows), rows.text(4), rows.integer(5)});
  }
  return items;
}

void SqliteJournal::drop_set_aside(std::span<const std::int64_t> seqs, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  for (const std::int64_t seq : seqs) {
    connection->execute("DELETE FROM threadkeep_journal_set_aside WHERE seq = ?1", seq);
  }
  connection->commit();
}

JournalSizes SqliteJournal::sizes(const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  if (!is_there(*connection)) return {};
  return {count(*connection, "SELECT count(*) FROM threadkeep_journal"),
          count(*connection, "SELECT coalesce(sum(length(body)), 0) FROM threadkeep_journal"),
          count(*connection, "SELECT count(*) FROM threadkeep_journal_set_aside")};
}

}  // namespace threadkeep::sqlite
