// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "fork_locks.hpp"
#include "threadkeep/journal.hpp"

namespace threadkeep::memory {

/// A journal that ends with the process.
class MemoryJournal final : public Journal {
 public:
  /// `now`: microseconds since 1970 UTC.
  explicit MemoryJournal(std::function<std::int64_t()> now) : now_(std::move(now)) {}

  bool durable() const override { return false; }
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

 private:
  const std::function<std::int64_t()> now_;
  OwnProcess<std::mutex> mutex_;
  bool taken_ = false;
  std::int64_t last_ = 0;
  std::map<std::int64_t, JournalEntry> entries_;
  std::map<std::int64_t, SetAsideEntry> set_aside_;
};

}  // namespace threadkeep::memory
