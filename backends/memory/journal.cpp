// SPDX-License-Identifier: Apache-2.0
#include "memory/journal.hpp"

#include <utility>

#include "threadkeep/error.hpp"

namespace threadkeep::memory {

namespace {

void check_call(const Call& call) {
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "nothing was done");
  if (call.deadline.passed()) throw Error(Code::timeout, "nothing was done");
}

const JournalEntry& entry_of(const JournalEntry& entry) {
  return entry;
}
const JournalEntry& entry_of(const SetAsideEntry& item) {
  return item.entry;
}

template <class Item>
std::vector<Item> page_of(const std::map<std::int64_t, Item>& items, std::int64_t after,
                          std::size_t max_bytes) {
  std::vector<Item> page;
  std::size_t bytes = 0;
  for (auto item = items.upper_bound(after); item != items.end(); ++item) {
    bytes += entry_of(item->second).record.body.size();
    if (!page.empty() && bytes > max_bytes) break;
    page.push_back(item->second);
  }
  return page;
}

}  // namespace

void MemoryJournal::take(const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  if (taken_) {
    throw Error(Code::unavailable,
                "the journal is used by another store of this process already; "
                "give each store a journal of its own");
  }
  taken_ = true;
}

std::int64_t MemoryJournal::append(std::span<const JournalRecord> records, const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  const std::int64_t first = last_ + 1;
  for (const JournalRecord& record : records) {
    ++last_;
    entries_.emplace(last_, JournalEntry{last_, record});
  }
  return first;
}

std::vector<JournalEntry> MemoryJournal::read(std::int64_t after, std::size_t max_bytes,
                                              const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  return page_of(entries_, after, max_bytes);
}

void MemoryJournal::remove(std::span<const std::int64_t> seqs, const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  for (const std::int64_t seq : seqs) entries_.erase(seq);
}

void MemoryJournal::set_aside(std::int64_t seq, const std::string& reason, const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(seq);
  if (found == entries_.end()) return;
  set_aside_.emplace(seq, SetAsideEntry{std::move(found->second), reason, now_()});
  entries_.erase(found);
}

std::vector<SetAsideEntry> MemoryJournal::set_aside_entries(std::int64_t after,
                                                            std::size_t max_bytes,
                                                            const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  return page_of(set_aside_, after, max_bytes);
}

void MemoryJournal::drop_set_aside(std::span<const std::int64_t> seqs, const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  for (const std::int64_t seq : seqs) set_aside_.erase(seq);
}

JournalSizes MemoryJournal::sizes(const Call& call) {
  check_call(call);
  const std::scoped_lock lock(mutex_);
  JournalSizes sizes{entries_.size(), 0, set_aside_.size()};
  for (const auto& [seq, entry] : entries_) sizes.bytes += entry.record.body.size();
  return sizes;
}

}  // namespace threadkeep::memory
