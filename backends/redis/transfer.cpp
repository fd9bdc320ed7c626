// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "layout.hpp"
#include "migration_lock.hpp"
#include "parts.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

namespace {

using Strings = std::vector<std::string>;

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end) refuse("a time of a thread");
  return number;
}

void read_marks(std::string_view text, ThreadNotes& notes) {
  while (!text.empty()) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos) refuse("a mark of retention");
    const auto mark = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (mark.starts_with('p')) notes.pinned = true;
    if (mark.starts_with('h')) notes.holds.emplace_back(mark.substr(1));
  }
  std::ranges::sort(notes.holds);
}

// Replies to what ask() asks for.
ThreadNotes notes_of(const std::string& thread_id, const Reply* replies) {
  ThreadNotes notes;
  notes.thread_id = thread_id;
  if (!replies[0].is_nil()) {
    Head head = decode_head(replies[0].view());
    if (!head.tombstone.empty()) notes.tombstone = std::move(head.tombstone);
  }
  const Reply& orders = replies[1];
  if (!orders[0].is_nil()) read_marks(orders[0].view(), notes);
  if (!orders[1].is_nil()) notes.expires_at = number_of(orders[1].view());
  const bool is_kept = notes.pinned || !notes.holds.empty() || notes.expires_at;
  if (!replies[2].is_nil() && !is_kept) notes.deadline = number_of(replies[2].view()) * 1000;
  return notes;
}

constexpr std::size_t commands_of_thread = 3;

void ask(Pipeline& pipeline, const Keys& keys, const std::string& marks, const std::string& time,
         const std::string& thread_id) {
  pipeline.add({"HGET", keys.thread, "h"});
  pipeline.add({"HMGET", keys.orders, marks, time});
  pipeline.add({"ZSCORE", keys.deadlines, thread_id});
}

std::string text_of(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "";
}

Transaction transaction_of(const ThreadNotesChange& change, const Settings& settings) {
  Transaction transaction(scripts::set_notes, Keys(settings.prefix, change.thread_id));
  const std::string deadline = change.deadline ? std::to_string(*change.deadline / 1000) : "";
  for (const std::string& argument :
       {change.thread_id, std::to_string(settings.ttl.count()), new_nonce(),
        text_of(change.created_at), text_of(change.updated_at), change.tombstone.value_or(""),
        deadline}) {
    transaction.arguments.emplace_back(argument);
  }
  return transaction;
}

// In patterns of SCAN these have a meaning.
std::string escaped(const std::string& text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

/// Names out of keys `PREFIX:{N}:KIND:NAME`, a piece of the key space at a time.
class KeyScan {
 public:
  KeyScan(Writer& writer, char kind) : writer_(writer), kind_(kind) {}

  Page<std::string> next(const std::string& cursor, std::size_t count) {
    const std::string pattern =
        escaped(writer_.settings().prefix) + ":{*}:" + std::string(1, kind_) + ":*";
    Pipeline pipeline;
    pipeline.add({"SCAN", cursor, "MATCH", pattern, "COUNT", std::to_string(count)});
    const Reply reply = writer_.read(pipeline).front();
    Page<std::string> page;
    for (std::size_t i = 0; i < reply[1].size(); ++i) {
      if (auto name = name_in(reply[1][i].view())) page.items.push_back(std::move(*name));
    }
    if (reply[0].view() != "0") page.next = reply[0].text();
    return page;
  }

 private:
  // Nothing where another store's key happens to fit the pattern.
  std::optional<std::string> name_in(std::string_view key) const {
    const std::string& prefix = writer_.settings().prefix;
    if (!key.starts_with(prefix)) return {};
    const auto end = key.find('}', prefix.size());
    if (end == std::string_view::npos || key.size() < end + 4) return {};
    std::string name(key.substr(end + 4));
    const Keys keys = kind_ == 't' ? Keys(prefix, name) : Keys(prefix, StateScope::named(name));
    if (keys.thread != key) return {};
    return name;
  }

  Writer& writer_;
  const char kind_;
};

// Those that no listing shows.
Strings without_info(Writer& writer, Strings names) {
  Pipeline pipeline;
  for (const std::string& name : names) {
    pipeline.add({"HGET", Keys(writer.settings().prefix, name).thread, "h"});
  }
  if (pipeline.empty()) return names;
  const auto heads = writer.read(pipeline);
  Strings left;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!heads[i].is_nil() && decode_head(heads[i].view()).has_info) continue;
    left.push_back(std::move(names[i]));
  }
  return left;
}

// Those that have no key, where the walk over keys has not found them.
Strings without_key(Writer& writer, Strings names) {
  Pipeline pipeline;
  for (const std::string& name : names) {
    pipeline.add({"EXISTS", Keys(writer.settings().prefix, name).thread});
  }
  if (pipeline.empty()) return names;
  const auto found = writer.read(pipeline);
  Strings left;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found[i].integer() == 0) left.push_back(std::move(names[i]));
  }
  return left;
}

// Threads of a bucket about which something was ordered.
Strings ordered_in(Writer& writer, unsigned bucket) {
  Pipeline pipeline;
  pipeline.add({"HKEYS", Keys(writer.settings().prefix, bucket).orders});
  const Reply fields = writer.read(pipeline).front();
  Strings names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = fields[i].view();
    if (field.size() > 1 && (field[0] == 'm' || field[0] == 'e')) {
      names.emplace_back(field.substr(1));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// First the keys of threads, then bucket by bucket what was ordered: "BUCKET." is such a cursor.
Page<std::string> next_unlisted(Writer& writer, const std::string& cursor, std::size_t count) {
  Page<std::string> page;
  if (cursor.ends_with('.')) {
    const auto bucket =
        static_cast<unsigned>(number_of(std::string_view(cursor).substr(0, cursor.size() - 1)));
    page.items = without_key(writer, ordered_in(writer, bucket));
    if (bucket + 1 < buckets) page.next = std::to_string(bucket + 1) + '.';
  } else {
    page = KeyScan(writer, 't').next(cursor.empty() ? "0" : cursor, count);
    if (page.next.empty()) page.next = "0.";
    page.items = without_info(writer, std::move(page.items));
  }
  return page;
}

}  // namespace

std::vector<ThreadNotes> StoreTransfer::notes(const Strings& thread_ids, const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  Pipeline pipeline;
  for (const std::string& id : thread_ids) {
    ask(pipeline, Keys(database_.settings().prefix, id), "m" + id, "e" + id, id);
  }
  std::vector<ThreadNotes> all;
  if (thread_ids.empty()) return all;
  const auto replies = connection->read(pipeline, call);
  for (std::size_t i = 0; i < thread_ids.size(); ++i) {
    all.push_back(notes_of(thread_ids[i], &replies[i * commands_of_thread]));
  }
  return all;
}

void StoreTransfer::change(const std::vector<ThreadNotesChange>& changes, const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  Writer writer(*connection, database_.settings(), environment_.now(), call);
  std::vector<Transaction> transactions;
  transactions.reserve(changes.size());
  for (const auto& change : changes) {
    transactions.push_back(transaction_of(change, database_.settings()));
  }
  std::vector<const Transaction*> pointers;
  pointers.reserve(transactions.size());
  for (const auto& transaction : transactions) pointers.push_back(&transaction);
  for (const Attempt& attempt : writer.run(pointers, true)) {
    if (attempt.error) throw Error(*attempt.error);
  }
}

Page<std::string> StoreTransfer::unlisted(const std::string& cursor, std::size_t limit,
                                          const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  Writer writer(*connection, database_.settings(), environment_.now(), call);
  return next_unlisted(writer, cursor, limit);
}

Page<std::string> StoreTransfer::scopes(const std::string& cursor, std::size_t limit,
                                        const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  Writer writer(*connection, database_.settings(), environment_.now(), call);
  return KeyScan(writer, 'n').next(cursor.empty() ? "0" : cursor, limit);
}

std::unique_ptr<tables::MigrationLock> StoreTransfer::lock(std::chrono::milliseconds patience,
                                                           const tables::OnWaiting& waiting,
                                                           const Call& call) {
  fork_guard_.check();
  return std::make_unique<MigrationLock>(database_, patience, waiting, call);
}

}  // namespace threadkeep::redis
