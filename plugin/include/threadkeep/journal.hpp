// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/bytes.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep {

/// What is to be kept in a journal. The journal does not look into the body.
struct JournalRecord {
  std::string lane;  ///< The thread or named scope, for people.
  std::string kind;  ///< The operation, for people: "put".
  Bytes body;
};

/// What is kept. Numbers grow with every record and are never used again.
struct JournalEntry {
  std::int64_t seq = 0;
  JournalRecord record;
};

/// An entry that the store it was meant for refused for good. It stays until somebody looks at it.
struct SetAsideEntry {
  JournalEntry entry;
  std::string reason;
  std::int64_t at = 0;  ///< Microseconds since 1970 UTC.
};

struct JournalSizes {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< Of the bodies of these entries.
  std::uint64_t set_aside = 0;

  friend bool operator==(const JournalSizes&, const JournalSizes&) = default;
};

/// Keeps writes that wait for another store, in the order in which they came; see
/// docs/operation/outages.md. Thread-safe. All functions may throw Error, and have changed nothing
/// then, unless it is `outcome_unknown`.
class Journal {
 public:
  virtual ~Journal() = default;
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What was appended survives the process.
  virtual bool durable() const = 0;
  /// Makes this the only process, and the only object, that uses the journal, until this goes;
  /// makes the journal where there is none. To be called once, before all others but sizes(),
  /// set_aside_entries() and drop_set_aside(). Throws Error(unavailable) that names the holder
  /// while there is one.
  virtual void take(const Call& call) = 0;

  /// All of them or none, durable on return where the journal is; the number of the first one. The
  /// others follow it without gaps.
  virtual std::int64_t append(std::span<const JournalRecord> records, const Call& call) = 0;
  /// Those above `after`, in their order: at least one where there is any, and as many more as
  /// `max_bytes` of bodies hold.
  virtual std::vector<JournalEntry> read(std::int64_t after, std::size_t max_bytes,
                                         const Call& call) = 0;
  /// Absent ones are no error.
  virtual void remove(std::span<const std::int64_t> seqs, const Call& call) = 0;
  /// Takes an entry out of the order and keeps it with the reason. An absent one is no error.
  virtual void set_aside(std::int64_t seq, const std::string& reason, const Call& call) = 0;
  /// As read().
  virtual std::vector<SetAsideEntry> set_aside_entries(std::int64_t after, std::size_t max_bytes,
                                                       const Call& call) = 0;
  /// Absent ones are no error.
  virtual void drop_set_aside(std::span<const std::int64_t> seqs, const Call& call) = 0;
  virtual JournalSizes sizes(const Call& call) = 0;
};

}  // namespace threadkeep
