// SPDX-License-Identifier: Apache-2.0
#include "retention.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "parts.hpp"
#include "registry.hpp"
#include "retention_rows.hpp"

namespace threadkeep::redis {

namespace {

using retention::AuditEntry;
using retention::RunRecord;
using retention::ThreadRows;
using Strings = std::vector<std::string>;

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end) refuse("a note of retention");
  return number;
}

std::string take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) refuse("a run of retention");
  std::string word(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return word;
}

// The state comes first: lua/retention/change_run.lua looks at it.
std::string encode(const RunRecord& run) {
  std::string text = run.state + ' ' + run.kind + ' ';
  for (const std::int64_t time : {run.alive_until, run.started_at, run.finished_at.value_or(0)}) {
    text += std::to_string(time) + ' ';
  }
  const auto& swept = run.swept;
  for (const std::uint64_t count :
       {swept.threads, swept.checkpoints, swept.writes, swept.bytes, swept.busy}) {
    text += std::to_string(count) + ' ';
  }
  for (const auto* part : {&run.who, &run.after, &run.error}) append_part(text, *part);
  // Version 1 ended here.
  return text + std::to_string(swept.tombstones) + ' ' + std::to_string(swept.notes) + ' ';
}

RunRecord decode_run(std::int64_t number, std::string_view text) {
  RunRecord run;
  run.run = number;
  run.state = take_word(text);
  run.kind = take_word(text);
  run.alive_until = number_of<std::int64_t>(take_word(text));
  run.started_at = number_of<std::int64_t>(take_word(text));
  const auto finished = number_of<std::int64_t>(take_word(text));
  if (finished != 0) run.finished_at = finished;
  auto& swept = run.swept;
  for (auto* count :
       {&swept.threads, &swept.checkpoints, &swept.writes, &swept.bytes, &swept.busy}) {
    *count = number_of<std::uint64_t>(take_word(text));
  }
  for (auto* part : {&run.who, &run.after, &run.error})
    *part = take_part(text, "a run of retention");
  if (text.empty()) return run;
  swept.tombstones = number_of<std::uint64_t>(take_word(text));
  swept.notes = number_of<std::uint64_t>(take_word(text));
  return run;
}

// Calls `field(name, member)` for all of an entry that is stored.
template <class Entry, class Field>
void each_field(Entry& entry, const Field& field) {
  field("at", entry.at);
  field("who", entry.who);
  field("action", entry.action);
  field("policy", entry.policy);
  field("reason", entry.reason);
  field("thread", entry.thread_id);
  field("run", entry.run);
  field("threads", entry.threads);
  field("checkpoints", entry.checkpoints);
  field("writes", entry.writes);
  field("blobs", entry.blobs);
  field("bytes", entry.bytes);
}

// Of a stream: its id "N-0", then names and values.
AuditEntry decode_entry(const Reply& reply) {
  AuditEntry entry;
  const auto id = reply[0].view();
  entry.id = number_of<std::int64_t>(id.substr(0, id.find('-')));
  const Reply fields = reply[1];
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    each_field(entry, [&](std::string_view name, auto& member) {
      if (fields[i].view() != name) return;
      using Member = std::remove_reference_t<decltype(member)>;
      if constexpr (std::is_same_v<Member, std::string>) {
        member = fields[i + 1].text();
      } else {
        member = number_of<Member>(fields[i + 1].view());
      }
    });
  }
  return entry;
}

// In one round trip.
std::vector<Attempt> run_all(Writer& writer, const std::vector<Transaction>& transactions) {
  std::vector<const Transaction*> pointers;
  pointers.reserve(transactions.size());
  for (const auto& transaction : transactions) pointers.push_back(&transaction);
  auto attempts = writer.run(pointers, true);
  for (const Attempt& attempt : attempts) {
    if (attempt.error) throw Error(*attempt.error);
  }
  return attempts;
}

// Runs a script for all buckets.
std::vector<Attempt> in_each_bucket(Writer& writer, const Script& script,
                                    const Strings& arguments) {
  std::vector<Transaction> transactions;
  for (unsigned bucket = 0; bucket < buckets; ++bucket) {
    transactions.emplace_back(script, Keys(writer.settings().prefix, bucket));
    for (const auto& argument : arguments) {
      transactions.back().arguments.emplace_back(argument);
    }
  }
  return run_all(writer, transactions);
}

class RetentionTransaction final : public retention::Transaction {
 public:
  explicit RetentionTransaction(Writer writer)
      : writer_(writer), prefix_(writer.settings().prefix), notes_(notes_keys(prefix_)) {}

  /// Before all that a deletion is decided on.
  void read_fence() { fence_ = number_of<std::int64_t>("0" + note("fence")); }

  std::int64_t now() const override { return writer_.now(); }
  int version() override { return number_of<int>("0" + note("version")); }
  void install(int version) override;
  Strings threads_after(const std::string& after, std::size_t limit) override;
  retention::ThreadGlance glance(const std::string& thread_id) override {
    return glance_at(writer_, thread_id);
  }
  retention::Activity activity(const Strings& thread_ids) override;
  void renew(const std::string& thread_id) override;
  ThreadRows load(const std::string& thread_id) override { return load_rows(writer_, thread_id); }
  bool erase_thread(const ThreadRows& judged) override {
    return redis::erase_thread(writer_, judged, fence_);
  }
  bool erase_checkpoints(const ThreadRows& judged,
                         const retention::CheckpointsByNamespace& gone) override {
    return redis::erase_checkpoints(writer_, judged, gone, fence_);
  }
  std::string policies() override;
  bool set_policies(const std::string& seen, const std::string& policies,
                    bool archive_required) override;
  bool mark(const std::string& thread_id, const std::string& kind, const std::string& name,
            bool set) override;
  void expire(const std::string& thread_id, std::optional<std::int64_t> at) override;
  std::vector<RunRecord> runs(std::size_t limit) override;
  std::int64_t add_run(const RunRecord& run, std::int64_t newest) override;
  bool change_run(const RunRecord& run) override;
  std::vector<AuditEntry> audit(std::int64_t before, std::size_t limit) override;
  void add_audit(const AuditEntry& entry) override { announce(entry); }
  std::int64_t announce(const AuditEntry& entry) override;
  void settle(std::int64_t announced) override;
  std::uint64_t count_tombstones(std::int64_t before) override;
  std::uint64_t purge_tombstones(std::int64_t before, std::size_t limit) override;
  std::uint64_t count_notes(std::int64_t before) override;
  std::uint64_t purge_notes(std::int64_t before, std::size_t limit) override;

 private:
  Reply read(std::initializer_list<Argument> command);
  std::string note(const std::string& field);
  Attempt run(const Script& script, const Keys& keys, const Strings& arguments);
  bool raise_fence(std::int64_t fence, const std::string& archive_required);
  Strings expiring();
  void keep_all();
  std::string order_of(const std::string& field, const std::string& thread_id);
  Strings old_tombstones(std::int64_t before, std::size_t limit);
  std::vector<RunRecord> old_runs(std::int64_t before, std::size_t limit);
  std::uint64_t purge_runs(std::int64_t before, std::size_t limit);
  bool order(const std::string& field, const std::string& thread_id, const std::string& seen,
             const std::string& wanted);

  Writer writer_;
  const std::string& prefix_;
  const Keys notes_;
  std::int64_t fence_ = 0;
  std::optional<ThreadNames> names_;
  std::string last_;  // of names_
};

Reply RetentionTransaction::read(std::initializer_list<Argument> command) {
  Pipeline pipeline;
  pipeline.add(command);
  return writer_.read(pipeline).front();
}

std::string RetentionTransaction::note(const std::string& field) {
  const Reply value = read({"HGET", notes_.thread, field});
  return value.is_nil() ? "" : value.text();
}

Attempt RetentionTransaction::run(const Script& script, const Keys& keys,
                                  const Strings& arguments) {
  redis::Transaction transaction(script, keys);
  for (const auto& argument : arguments) transaction.arguments.emplace_back(argument);
  return writer_.run(transaction);
}

void RetentionTransaction::install(int version) {
  read({"HSET", notes_.thread, "version", std::to_string(version)});
}

// One walk gives the next threads again and again.
Strings RetentionTransaction::threads_after(const std::string& after, std::size_t limit) {
  if (!names_ || last_ != after) {
    names_.emplace(writer_.connection(), writer_.settings(), writer_.call(), after, limit);
  }
  Strings ids = names_->next(limit);
  if (!ids.empty()) last_ = ids.back();
  return ids;
}

retention::Activity RetentionTransaction::activity(const Strings& thread_ids) {
  Pipeline pipeline;
  pipeline.add({"HMGET", notes_.thread, "version", "policies"});
  for (const auto& id : thread_ids) pipeline.add({"HGET", Keys(prefix_, id).thread, "h"});
  const auto replies = writer_.read(pipeline);
  const Reply& notes = replies.front();
  retention::Activity found;
  if (!notes[0].is_nil()) found.version = number_of<int>(notes[0].view());
  found.policies = notes[1].is_nil() ? "[]" : notes[1].text();
  for (std::size_t i = 1; i < replies.size(); ++i) {
    std::optional<std::int64_t> updated_at;
    if (!replies[i].is_nil()) {
      const Head head = decode_head(replies[i].view());
      if (head.has_info) updated_at = head.updated_at;
    }
    found.updated_at.push_back(updated_at);
  }
  return found;
}

void RetentionTransaction::renew(const std::string& thread_id) {
  run(scripts::renew, {prefix_, thread_id},
      {thread_id, std::to_string(writer_.settings().ttl.count()), std::to_string(now())});
}

std::string RetentionTransaction::policies() {
  const std::string policies = note("policies");
  return policies.empty() ? "[]" : policies;
}

// Sweeps that have read the policies before delete nothing any more when this has returned. False
// also where a bucket did not listen, because a run that began meanwhile has raised its fence
// first.
bool RetentionTransaction::set_policies(const std::string& seen, const std::string& policies,
                                        bool archive_required) {
  const Attempt stored = run(scripts::set_policies, notes_, {seen, policies});
  if (stored.verdict() != "ok") return false;
  if (!raise_fence(stored.number(1), archive_required ? "1" : "0")) return false;
  if (archive_required) keep_all();
  return true;
}

// False where a bucket had a higher one.
bool RetentionTransaction::raise_fence(std::int64_t fence, const std::string& archive_required) {
  const auto attempts =
      in_each_bucket(writer_, scripts::raise_fence, {std::to_string(fence), archive_required});
  return std::ranges::all_of(attempts,
                             [](const Attempt& attempt) { return attempt.verdict() == "ok"; });
}

// Some of the threads that still have a deadline where nothing may go without an archive.
Strings RetentionTransaction::expiring() {
  Pipeline pipeline;
  for (unsigned bucket = 0; bucket < buckets; ++bucket) {
    const Keys keys(prefix_, bucket);
    pipeline.add({"HEXISTS", keys.orders, "a"});
    pipeline.add({"ZRANGE", keys.deadlines, "0", "15"});
  }
  const auto replies = writer_.read(pipeline);
  Strings ids;
  for (std::size_t i = 0; i < replies.size(); i += 2) {
    if (replies[i].integer() == 0) continue;
    for (std::size_t n = 0; n < replies[i + 1].size(); ++n) ids.push_back(replies[i + 1][n].text());
  }
  return ids;
}

// The names of a thread's keys are not for scripts to build, so each thread has one of its own.
void RetentionTransaction::keep_all() {
  for (Strings ids = expiring(); !ids.empty(); ids = expiring()) {
    std::vector<redis::Transaction> transactions;
    for (const auto& id : ids) {
      transactions.emplace_back(scripts::keep, Keys(prefix_, id)).arguments.emplace_back(id);
    }
    run_all(writer_, transactions);
  }
}

std::string RetentionTransaction::order_of(const std::string& field, const std::string& thread_id) {
  const Reply value = read({"HGET", Keys(prefix_, thread_id).orders, field + thread_id});
  return value.is_nil() ? "" : value.text();
}

bool RetentionTransaction::order(const std::string& field, const std::string& thread_id,
                                 const std::string& seen, const std::string& wanted) {
  return run(scripts::order, {prefix_, thread_id}, {thread_id, field, seen, wanted}).verdict() ==
         "ok";
}

std::set<std::string> split_marks(std::string_view text) {
  std::set<std::string> marks;
  while (!text.empty()) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos) refuse("a mark of retention");
    marks.emplace(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return marks;
}

std::string join_marks(const std::set<std::string>& marks) {
  std::string text;
  for (const auto& mark : marks) text.append(mark) += '\0';
  return text;
}

bool RetentionTransaction::mark(const std::string& thread_id, const std::string& kind,
                                const std::string& name, bool set) {
  const std::string mark = (kind == "pin" ? "p" : "h") + name;
  if (mark.find('\0') != std::string::npos) {
    throw Error(Code::invalid_argument, "name of the hold has a NUL byte");
  }
  for (;;) {
    const std::string seen = order_of("m", thread_id);
    auto marks = split_marks(seen);
    if (set ? !marks.insert(mark).second : marks.erase(mark) == 0) return false;
    if (order("m", thread_id, seen, join_marks(marks))) return true;
  }
}

void RetentionTransaction::expire(const std::string& thread_id, std::optional<std::int64_t> at) {
  const std::string wanted = at ? std::to_string(*at) : "";
  while (!order("e", thread_id, order_of("e", thread_id), wanted)) {
  }
}

std::vector<RunRecord> RetentionTransaction::runs(std::size_t limit) {
  std::vector<RunRecord> runs;
  Pipeline pipeline;
  const auto newest = number_of<std::int64_t>("0" + note("run"));
  Strings fields;
  for (auto run = newest; run > 0 && fields.size() < limit; --run) {
    fields.push_back("r" + std::to_string(run));
  }
  if (fields.empty()) return runs;
  std::vector<Argument> command{"HMGET", notes_.thread};
  command.insert(command.end(), fields.begin(), fields.end());
  pipeline.add(command);
  const Reply found = writer_.read(pipeline).front();
  for (std::size_t i = 0; i < fields.size() && !found[i].is_nil(); ++i) {
    runs.push_back(decode_run(newest - static_cast<std::int64_t>(i), found[i].view()));
  }
  return runs;
}

std::int64_t RetentionTransaction::add_run(const RunRecord& run, std::int64_t newest) {
  const Attempt added = this->run(scripts::add_run, notes_, {std::to_string(newest), encode(run)});
  if (added.verdict() != "ok") return 0;
  raise_fence(added.number(2), "");
  return added.number(1);
}

bool RetentionTransaction::change_run(const RunRecord& run) {
  return this->run(scripts::change_run, notes_, {std::to_string(run.run), encode(run)}).verdict() ==
         "ok";
}

std::vector<AuditEntry> RetentionTransaction::audit(std::int64_t before, std::size_t limit) {
  std::vector<AuditEntry> entries;
  if (limit == 0 || before == 1) return entries;
  const std::string from = before == 0 ? "+" : std::to_string(before - 1);
  const Reply found = read({"XREVRANGE", notes_.index, from, "-", "COUNT", std::to_string(limit)});
  for (std::size_t i = 0; i < found.size(); ++i) entries.push_back(decode_entry(found[i]));
  return entries;
}

std::int64_t RetentionTransaction::announce(const AuditEntry& entry) {
  Strings fields;
  each_field(entry, [&](const char* name, const auto& member) {
    fields.emplace_back(name);
    if constexpr (std::is_same_v<decltype(member), const std::string&>) {
      fields.push_back(member);
    } else {
      fields.push_back(std::to_string(member));
    }
  });
  return run(scripts::add_audit, notes_, fields).number(1);
}

void RetentionTransaction::settle(std::int64_t announced) {
  read({"XDEL", notes_.index, std::to_string(announced) + "-0"});
}

std::uint64_t RetentionTransaction::count_tombstones(std::int64_t before) {
  Pipeline pipeline;
  const std::string up_to = "(" + std::to_string(before);
  for (unsigned bucket = 0; bucket < buckets; ++bucket) {
    pipeline.add({"ZCOUNT", Keys(prefix_, bucket).tombstones, "-inf", up_to});
  }
  std::uint64_t count = 0;
  for (const Reply& reply : writer_.read(pipeline)) {
    count += static_cast<std::uint64_t>(reply.integer());
  }
  return count;
}

// Threads with tombstones from before a time: some of each bucket.
Strings RetentionTransaction::old_tombstones(std::int64_t before, std::size_t limit) {
  Pipeline pipeline;
  const std::string up_to = "(" + std::to_string(before);
  for (unsigned bucket = 0; bucket < buckets; ++bucket) {
    pipeline.add({"ZRANGEBYSCORE", Keys(prefix_, bucket).tombstones, "-inf", up_to, "LIMIT", "0",
                  std::to_string(limit / buckets + 1)});
  }
  Strings ids;
  for (const Reply& reply : writer_.read(pipeline)) {
    for (std::size_t i = 0; i < reply.size() && ids.size() < limit; ++i) {
      ids.push_back(reply[i].text());
    }
  }
  return ids;
}

std::uint64_t RetentionTransaction::purge_tombstones(std::int64_t before, std::size_t limit) {
  const Strings ids = old_tombstones(before, limit);
  if (ids.empty()) return 0;
  std::vector<redis::Transaction> transactions;
  transactions.reserve(ids.size());
  for (const auto& id : ids) {
    transactions.emplace_back(scripts::purge_tombstone, Keys(prefix_, id)).arguments = {
        id, std::to_string(before)};
  }
  std::uint64_t gone = 0;
  for (const Attempt& attempt : run_all(writer_, transactions)) {
    gone += static_cast<std::uint64_t>(attempt.number(1));
  }
  return gone;
}

// The oldest ones, up to the first that stays.
std::vector<RunRecord> RetentionTransaction::old_runs(std::int64_t before, std::size_t limit) {
  std::vector<RunRecord> old;
  const auto newest = number_of<std::int64_t>("0" + note("run"));
  const auto oldest = std::max<std::int64_t>(number_of<std::int64_t>("0" + note("oldest")), 1);
  for (auto run = oldest; run <= newest && old.size() < limit; ++run) {
    const std::string record = note("r" + std::to_string(run));
    // Somebody else takes them away too.
    if (record.empty()) continue;
    old.push_back(decode_run(run, record));
    if (!old.back().finished_at || *old.back().finished_at >= before) {
      old.pop_back();
      break;
    }
  }
  return old;
}

std::uint64_t RetentionTransaction::purge_runs(std::int64_t before, std::size_t limit) {
  const auto old = old_runs(before, limit);
  if (old.empty()) return 0;
  Pipeline pipeline;
  std::vector<Argument> command{"HDEL", notes_.thread};
  Strings fields;
  for (const RunRecord& run : old) fields.push_back("r" + std::to_string(run.run));
  command.insert(command.end(), fields.begin(), fields.end());
  pipeline.add(command);
  pipeline.add({"HSET", notes_.thread, "oldest", std::to_string(old.back().run + 1)});
  return static_cast<std::uint64_t>(writer_.read(pipeline).front().integer());
}

std::uint64_t RetentionTransaction::count_notes(std::int64_t before) {
  constexpr std::size_t at_once = 1000;
  std::uint64_t count = old_runs(before, std::numeric_limits<std::size_t>::max()).size();
  for (std::int64_t from = 0;;) {
    const Reply found =
        read({"XRANGE", notes_.index, std::to_string(from), "+", "COUNT", std::to_string(at_once)});
    for (std::size_t i = 0; i < found.size(); ++i) {
      const AuditEntry entry = decode_entry(found[i]);
      if (entry.at >= before) return count;
      from = entry.id + 1;
      ++count;
    }
    if (found.size() < at_once) return count;
  }
}

std::uint64_t RetentionTransaction::purge_notes(std::int64_t before, std::size_t limit) {
  const Attempt entries =
      run(scripts::purge_audit, notes_, {std::to_string(before), std::to_string(limit)});
  return static_cast<std::uint64_t>(entries.number(1)) + purge_runs(before, limit);
}

}  // namespace

void RetentionHost::read(const Work& work, const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  RetentionTransaction transaction({*connection, database_.settings(), environment_.now(), call});
  work(transaction);
}

void RetentionHost::write(const Work& work, const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  RetentionTransaction transaction({*connection, database_.settings(), environment_.now(), call});
  transaction.read_fence();
  work(transaction);
}

// Names of threads that have expired.
bool RetentionHost::give_back(const Call& call) {
  fork_guard_.check();
  const Lease connection = database_.lease(call);
  Writer writer(*connection, database_.settings(), environment_.now(), call);
  constexpr std::int64_t at_once = 1000;
  bool more = false;
  for (const Attempt& attempt : in_each_bucket(writer, scripts::clean, {std::to_string(at_once)})) {
    more = more || attempt.number(1) == at_once;
  }
  return more;
}

}  // namespace threadkeep::redis
