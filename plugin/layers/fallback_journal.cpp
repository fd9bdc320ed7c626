// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_journal.hpp"

#include <utility>

#include "findings.hpp"
#include "threadkeep/log.hpp"

namespace threadkeep {

namespace {

constexpr std::size_t page_bytes = 4 << 20;

Journal* journal_of(Backend& store) {
  if (Journal* journal = store.journal()) return journal;
  throw Error(Code::unsupported, "fallback: " + store.capabilities().name +
                                     " stores keep no journal; use memory: or sqlite:PATH");
}

std::size_t size_of(std::span<const JournalRecord> records) {
  std::size_t bytes = 0;
  for (const JournalRecord& record : records) bytes += record.body.size();
  return bytes;
}

std::int64_t number(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

}  // namespace

FallbackJournal::FallbackJournal(std::unique_ptr<Backend> store, std::size_t max_bytes,
                                 Metrics& metrics)
    : store_(std::move(store)),
      journal_(journal_of(*store_)),
      max_bytes_(max_bytes),
      entries_(metrics.gauge("threadkeep_journal_entries",
                             "Writes in journals of fallbacks, not stored yet.")),
      bytes_(metrics.gauge("threadkeep_journal_bytes", "Bytes in journals of fallbacks.")),
      set_aside_(metrics.gauge("threadkeep_fallback_set_aside",
                               "Writes in journals that the store refused for good.")) {}

FallbackJournal::~FallbackJournal() {
  if (known_.entries > 0) tell_what_is_left();
  entries_.add(-static_cast<std::int64_t>(known_.entries));
  bytes_.add(-static_cast<std::int64_t>(known_.bytes));
  set_aside_.add(-static_cast<std::int64_t>(known_.set_aside));
}

void FallbackJournal::tell_what_is_left() const {
  const bool lost = !durable();
  log({lost ? LogLevel::error : LogLevel::warning,
       lost ? "fallback_lost" : "fallback_left",
       lost ? "the store was closed before it could be reached again; what waited in memory is lost"
            : "the store was closed before it could be reached again; what waits in the journal is "
              "stored when it is opened again with the same journal",
       {{"entries", std::to_string(known_.entries)}}});
}

std::vector<FallbackJournal::Loaded> FallbackJournal::load(const Call& call) {
  if (!taken_) journal_->take(call);
  taken_ = true;
  std::vector<JournalEntry> damaged;
  std::vector<Loaded> loaded;
  std::int64_t last = 0;
  for (auto page = journal_->read(last, page_bytes, call); !page.empty();
       page = journal_->read(last, page_bytes, call)) {
    last = page.back().seq;
    for (JournalEntry& entry : page) {
      try {
        const Bytes& body = entry.record.body;
        loaded.push_back({entry.seq, body.size(), decode_journal_body(body.view())});
      } catch (const Error&) {
        damaged.push_back(std::move(entry));
      }
    }
  }
  const JournalSizes sizes = journal_->sizes(call);
  const JournalSizes before = known();  // Of a call that failed later.
  change(number(sizes.entries) - number(before.entries), number(sizes.bytes) - number(before.bytes),
         number(sizes.set_aside) - number(before.set_aside));
  for (const auto& [seq, record] : damaged) {
    set_aside(seq, record.body.size(), record.lane, "the entry is damaged", call);
  }
  return loaded;
}

void FallbackJournal::reserve(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (known_.bytes + reserved_ + bytes > max_bytes_) {
    throw Error(Code::unavailable,
                "the store cannot be reached and the journal is full (" +
                    std::to_string(known_.entries) + " changes, " + std::to_string(known_.bytes) +
                    " bytes); try again when the store is back, or raise fallback_journal",
                "journal_full");
  }
  reserved_ += bytes;
}

std::int64_t FallbackJournal::append(std::span<const JournalRecord> records, const Call& call) {
  const std::size_t bytes = size_of(records);
  reserve(bytes);
  const auto release = [&] {
    const std::scoped_lock lock(mutex_);
    reserved_ -= bytes;
  };
  try {
    const std::int64_t first = journal_->append(records, call);
    change(number(records.size()), number(bytes), 0);
    release();
    return first;
  } catch (...) {
    release();
    throw;
  }
}

void FallbackJournal::remove(std::span<const std::int64_t> seqs, std::size_t bytes,
                             const Call& call) {
  if (seqs.empty()) return;
  journal_->remove(seqs, call);
  change(-number(seqs.size()), -number(bytes), 0);
}

void FallbackJournal::set_aside(std::int64_t seq, std::size_t bytes, const std::string& lane,
                                const std::string& reason, const Call& call) {
  journal_->set_aside(seq, reason, call);
  change(-1, -number(bytes), 1);
  log({LogLevel::error,
       "fallback_set_aside",
       "a change that was accepted while the store could not be reached is refused by it and was "
       "set aside in the journal",
       {{"lane", lane}, {"seq", std::to_string(seq)}, {"reason", reason}}});
}

void FallbackJournal::for_each_set_aside(const std::function<void(const Mutation&)>& use,
                                         const Call& call) const {
  std::int64_t last = 0;
  for (auto page = journal_->set_aside_entries(last, page_bytes, call); !page.empty();
       page = journal_->set_aside_entries(last, page_bytes, call)) {
    last = page.back().entry.seq;
    for (const SetAsideEntry& item : page) {
      try {
        const auto body = decode_journal_body(item.entry.record.body.view());
        if (const auto* mutation = std::get_if<Mutation>(&body)) use(*mutation);
      } catch (const Error&) {
        continue;  // It was set aside for that.
      }
    }
  }
}

void FallbackJournal::count_set_aside_again(const Call& call) {
  const std::scoped_lock lock(mutex_);
  if (known_.set_aside == 0) return;
  const std::uint64_t now = journal_->sizes(call).set_aside;
  set_aside_.add(number(now) - number(known_.set_aside));
  known_.set_aside = now;
}

std::vector<Finding> FallbackJournal::examine(const Call& call) const {
  return judge_journal(*journal_, call);
}

JournalSizes FallbackJournal::known() const {
  const std::scoped_lock lock(mutex_);
  return known_;
}

void FallbackJournal::change(std::int64_t entries, std::int64_t bytes, std::int64_t set_aside) {
  const std::scoped_lock lock(mutex_);
  known_.entries += static_cast<std::uint64_t>(entries);
  known_.bytes += static_cast<std::uint64_t>(bytes);
  known_.set_aside += static_cast<std::uint64_t>(set_aside);
  entries_.add(entries);
  bytes_.add(bytes);
  set_aside_.add(set_aside);
}

}  // namespace threadkeep
