// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "database.hpp"
#include "threadkeep/journal.hpp"

namespace threadkeep::sqlite {

/// A journal in tables of the file. Its holder has a lock on a file beside it, `PATH-hold`, which
/// ends with the process however that ends; the journal itself can be read by others all the time.
class SqliteJournal final : public Journal {
 public:
  /// All must outlive this.
  SqliteJournal(const Settings& settings, Database& database, const Environment& environment);

  bool durable() const override { return true; }
  void take(const Call& call) override;
  std::int64_t append(std::span<const JournalRecord> records, const Call& call) override;
  std::vector<JournalEntry> read(std::int64_t after, std::size_t max_bytes,
                                 const Call& call) override;
  void remove(std::span<const std::int64_t> seqs, const Call& call) override;
  void set_aside(std::int64_t seq, const std::string& reason, const Call& call) override;
  std::vector<SetAsideEntry> set_aside_entries(std::int64_t after, std::size_t max_bytes,
                                               const Call& call) override;
  void drop_set_aside(std::span<const std::int64_t> seqs, const Call& call) override;
  JournalSizes sizes(const Call& call) override;

  /// A process has used the file as a journal.
  bool was_used(const Call& call);
  /// In a forked child, where the lock is the parent's: forgets it.
  void leave() noexcept { static_cast<void>(hold_.release()); }

 private:
  void lock(const Call& call);
  std::string holder(const Call& call);
  static bool is_there(Connection& connection);

  const Settings& settings_;
  const Settings hold_settings_;
  Database& database_;
  const Environment& environment_;
  std::mutex mutex_;
  std::unique_ptr<Connection> hold_;  // guarded by mutex_
};

}  // namespace threadkeep::sqlite
