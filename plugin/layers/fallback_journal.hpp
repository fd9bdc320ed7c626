// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "layers/mutation_codec.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/journal.hpp"
#include "threadkeep/metrics.hpp"

namespace threadkeep {

/// The journal with its bound, its numbers and its gauges. Thread-safe.
class FallbackJournal {
 public:
  /// Throws Error(unsupported) when the store has no journal.
  FallbackJournal(std::unique_ptr<Backend> store, std::size_t max_bytes, Metrics& metrics);
  ~FallbackJournal();
  FallbackJournal(const FallbackJournal&) = delete;
  FallbackJournal& operator=(const FallbackJournal&) = delete;

  bool durable() const { return journal_->durable(); }
  /// Something was left by an earlier process, or is in use by another one. Takes nothing.
  bool has_entries(const Call& call) const { return journal_->sizes(call).entries > 0; }

  struct Loaded {
    std::int64_t seq = 0;
    std::size_t bytes = 0;
    JournalBody body;
  };
  /// Takes the journal and reads what an earlier process left. What cannot be read is set aside.
  /// May be called again after an error, and not after that.
  std::vector<Loaded> load(const Call& call);

  /// The number of the first. Throws Error(unavailable) when the journal is full.
  std::int64_t append(std::span<const JournalRecord> records, const Call& call);
  void remove(std::span<const std::int64_t> seqs, std::size_t bytes, const Call& call);
  void set_aside(std::int64_t seq, std::size_t bytes, const std::string& lane,
                 const std::string& reason, const Call& call);

  /// What was set aside, also by earlier processes; not what is damaged.
  void for_each_set_aside(const std::function<void(const Mutation&)>& use, const Call& call) const;
  /// Others may drop what was set aside.
  void count_set_aside_again(const Call& call);

  /// Also when this process does not have the journal.
  std::vector<Finding> examine(const Call& call) const;
  /// Of what this process knows.
  JournalSizes known() const;

 private:
  void tell_what_is_left() const;
  void reserve(std::size_t bytes);
  void change(std::int64_t entries, std::int64_t bytes, std::int64_t set_aside);

  const std::unique_ptr<Backend> store_;
  Journal* const journal_;
  const std::size_t max_bytes_;
  bool taken_ = false;  // guarded by whoever calls load()
  Gauge& entries_;
  Gauge& bytes_;
  Gauge& set_aside_;
  mutable std::mutex mutex_;
  JournalSizes known_;        // guarded by mutex_
  std::size_t reserved_ = 0;  // likewise: on its way into the journal
};

}  // namespace threadkeep
