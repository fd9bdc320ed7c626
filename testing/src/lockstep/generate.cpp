// SPDX-License-Identifier: Apache-2.0
#include "lockstep/generate.hpp"

#include <random>
#include <set>
#include <string>

#include "random_session.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::testing {

namespace {

using Strings = std::vector<std::string>;

const Strings thread_pool{"t", "t", "t", "t:{1}*|", "T%_'\"\\", "\u043b\u0438\u043d\u0438\u044f"};
const Strings namespace_pool{"", "", "", "", "", "child:1", "a|b*", "%"};
const Strings channel_pool{"messages", "a", "b.c", "\U0001F600", "__start__"};
const Strings version_pool{"1", "2", "3", "00000004.5"};
const Strings task_pool{"task-1", "task-2", "*"};
const Strings path_pool{"", "~1", "~1, 2", "\u00e9"};
const Strings run_pool{"run-1", "run-2", "r'%"};
const Strings key_pool{"source", "step", "run_id", "flag", "nested", "a.b", "absent"};
const Strings json_pool{"1",      "1.0",   "2",         "true",        "false",
                        "null",   "\"1\"", "\"loop\"",  "{\"a\": 1}",  "{\"a\": [1, {}]}",
                        "[1, 2]", "[]",    "\"run-1\"", "\"\\u00e9\"", "-0.5"};
// In bytewise order they are not in the order of UTF-16 or of numbers.
const Strings checkpoint_pool{"0001", "0002",   "0003",   "0004",      "0005", "0006",
                              "10",   "9",      "A",      "a",         "a%",   "a_",
                              "{b}",  "\u00e9", "\uFFFD", "\U0001F600"};

const Strings stream_pool{"", "", "", "tools", "a|b%"};
const Strings message_pool{"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m:9", "{*}", "'%"};
const Strings role_pool{"user", "assistant", ""};
const Strings operation_pool{"op-1", "op-2", "op|3"};
const Strings state_pool{"k", "l", "a.b", "\u00e9"};
const Strings patch_pool{"{\"a\": null}", "{\"a\": {\"b\": 1}}", "{\"b\": [1]}", "[]", "null"};
const Strings scope_pool{"t", "user:1"};

class Generator {
 public:
  Generator(std::uint64_t seed, bool sessions) : random_(seed), sessions_(sessions) {}

  Operation next() {
    if (sessions_ && chance(50)) return chance(60) ? session_mutation() : session_question();
    const auto kind = below(100);
    if (kind < 45) return mutation();
    if (kind < 55) return group();
    if (kind < 68) return query();
    if (kind < 82) return list();
    if (kind < 90) return history();
    if (kind < 93) return threads();
    if (kind < 95) return LooseWritesQuery{id(thread_pool), {}, 1 + below(3)};
    return Tick{static_cast<std::int64_t>(below(90))};
  }

 private:
  // Not std::uniform_int_distribution: its results differ between standard libraries.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  const std::string& pick(const Strings& pool) { return pool[below(pool.size())]; }
  std::optional<std::string> maybe(std::size_t percent, const Strings& pool) {
    if (!chance(percent)) return std::nullopt;
    return pick(pool);
  }
  // Now and then an id that has to be refused.
  std::string id(const Strings& pool) {
    if (chance(99)) return pick(pool);
    return chance(50) ? std::string() : std::string(513, 'x');
  }
  std::string payload() {
    std::string bytes = std::to_string(++count_);
    if (chance(5)) bytes.append(2000, static_cast<char>('a' + below(26)));
    return bytes;
  }

  Mutation mutation() {
    if (sessions_ && chance(50)) return session_mutation();
    const auto kind = below(100);
    if (kind < 58) return put();
    if (kind < 85) return put_writes();
    if (kind < 90) return PutThread{id(thread_pool), metadata()};
    if (kind < 91) return DeleteThread{id(thread_pool)};
    if (kind < 93) return DeleteRuns{{pick(run_pool)}};
    if (kind < 98) return copy();
    return Prune{id(thread_pool)};
  }

  Mutation copy() {
    if (chance(50)) return CopyThread{id(thread_pool), id(thread_pool)};
    return CopyThread{id(thread_pool), "copy " + std::to_string(below(30))};
  }

  Group group() {
    Group mutations;
    for (auto n = 2 + below(6); n > 0; --n) mutations.push_back(mutation());
    return mutations;
  }

  Mutation put() {
    Draft draft(id(thread_pool), id(checkpoint_pool));
    draft.ns(pick(namespace_pool)).metadata(metadata());
    if (chance(50)) draft.parent(id(checkpoint_pool));
    if (chance(15)) draft.require_latest_parent();
    for (const auto& channel : channel_pool) {
      if (chance(40)) add_channel(draft, channel);
    }
    PutCheckpoint checkpoint = draft;
    for (auto& blob : checkpoint.blobs) {
      if (chance(5)) blob = {blob.channel, blob.version, empty_type, {}};
    }
    return checkpoint;
  }

  void add_channel(Draft& draft, const std::string& channel) {
    const auto& version = pick(version_pool);
    const auto kind = below(100);
    if (kind < 50) {
      draft.value(channel, version, payload());
    } else if (kind < 85) {
      draft.carries(channel, version);
    } else {
      draft.inlined(channel, version, pick(json_pool));
    }
  }

  std::string metadata() {
    if (chance(1)) return "{\"bad\": NaN}";
    std::string members;
    const auto add = [&](const std::string& key, const std::string& value) {
      members += (members.empty() ? "" : ", ") + json_string(key) + ": " + value;
    };
    for (const auto& key : key_pool) {
      if (key != "absent" && key != "run_id" && chance(40)) add(key, pick(json_pool));
    }
    if (chance(25)) add("run_id", json_string(pick(run_pool)));
    if (chance(40)) add("counters_since_delta_snapshot", delta_counters());
    return "{" + members + "}";
  }

  std::string delta_counters() {
    if (chance(30)) return R"({"messages": [1, 2], "a": [0, 1]})";
    return "{" + json_string(pick(channel_pool)) + ": [1, 1]}";
  }

  Mutation put_writes() {
    PutWrites put{id(thread_pool), pick(namespace_pool), id(checkpoint_pool), {}};
    for (auto n = 1 + below(4); n > 0; --n) {
      const auto idx = static_cast<std::int32_t>(below(7)) - 3;
      put.writes.push_back(
          pending(pick(task_pool), idx, pick(channel_pool), payload(), pick(path_pool)));
    }
    return put;
  }

  Include include() { return {chance(80), chance(80)}; }

  CheckpointQuery query() {
    return {id(thread_pool), pick(namespace_pool), maybe(60, checkpoint_pool), include()};
  }

  std::vector<MetadataEquals> filter() {
    std::vector<MetadataEquals> conditions;
    if (chance(40)) conditions.push_back({pick(key_pool), pick(json_pool)});
    if (chance(10)) conditions.push_back({pick(key_pool), pick(json_pool)});
    return conditions;
  }

  CheckpointList list() {
    CheckpointList query;
    query.thread_id = maybe(75, thread_pool);
    query.checkpoint_ns = maybe(40, namespace_pool);
    query.checkpoint_id = maybe(10, checkpoint_pool);
    query.before = maybe(25, checkpoint_pool);
    query.filter = filter();
    query.include = include();
    if (chance(60)) query.limit = below(5);
    if (chance(20)) query.max_bytes = below(3000);
    if (chance(2)) query.cursor = "garbage";
    return query;
  }

  HistoryQuery history() {
    HistoryQuery query{id(thread_pool), pick(namespace_pool), maybe(60, checkpoint_pool), {}};
    for (const auto& channel : channel_pool) {
      if (chance(50)) query.channels.push_back(channel);
    }
    return query;
  }

  ThreadList threads() {
    ThreadList query;
    query.filter = filter();
    if (chance(60)) query.limit = below(4);
    return query;
  }

  std::string value() { return pick(json_pool); }
  std::optional<std::int64_t> expected(std::size_t percent, std::size_t most) {
    if (!chance(percent)) return std::nullopt;
    return static_cast<std::int64_t>(below(most));
  }

  Mutation session_mutation() {
    const auto kind = below(100);
    if (kind < 45) return append();
    if (kind < 60) return update();
    if (kind < 67) return RemoveMessages{id(thread_pool), {pick(message_pool), pick(message_pool)}};
    if (kind < 77) return pop();
    if (kind < 80) return ClearMessages{id(thread_pool), maybe(70, stream_pool)};
    return ChangeState{scope(), changes()};
  }

  Mutation append() {
    AppendMessages append{id(thread_pool), pick(stream_pool), {}, {}, "", expected(10, 20)};
    for (auto n = 1 + below(4); n > 0; --n) append.messages.push_back(message());
    if (chance(25)) append.state = changes();
    if (chance(30)) append.operation_id = pick(operation_pool);
    return append;
  }

  // Often what the same id had before, so that it is kept.
  NewMessage message() {
    const auto& id = pick(message_pool);
    if (chance(50)) return {id, "user", json_string(id), "{}"};
    return {id, pick(role_pool), value(), random_metadata(random_)};
  }

  Mutation update() {
    UpdateMessage update{id(thread_pool), pick(message_pool), {}, {}, expected(30, 4)};
    if (chance(60)) update.content = value();
    if (chance(40)) update.metadata = metadata();
    return update;
  }

  Mutation pop() {
    return PopMessages{id(thread_pool), pick(stream_pool), below(4),
                       maybe(40, operation_pool).value_or("")};
  }

  StateScope scope() {
    return chance(70) ? StateScope::of_thread(pick(thread_pool))
                      : StateScope::named(pick(scope_pool));
  }

  std::vector<StateChange> changes() {
    std::vector<StateChange> changes;
    for (const auto& key : state_pool) {
      if (!chance(30)) continue;
      const auto kind = static_cast<StateChange::Kind>(below(3));
      const auto& pool = kind == StateChange::Kind::merge ? patch_pool : json_pool;
      changes.push_back({key, kind, pick(pool), expected(25, 4)});
    }
    return changes;
  }

  Operation session_question() {
    const auto kind = below(100);
    if (kind < 45) return messages();
    if (kind < 55) return Count{messages()};
    if (kind < 65) {
      return TailQuery{id(thread_pool), pick(stream_pool), below(6),
                       chance(30) ? random_filter(random_) : Filter()};
    }
    if (kind < 75) return MessageQuery{id(thread_pool), pick(message_pool)};
    if (kind < 85) return StateQuery{scope(), pick(state_pool)};
    if (kind < 95) return StateList{scope(), chance(50) ? 100 : below(4), 1000, ""};
    return ThreadQuery{id(thread_pool)};
  }

  MessageList messages() {
    MessageList query;
    query.thread_id = id(thread_pool);
    query.stream = pick(stream_pool);
    if (chance(50)) query.direction = Direction::backward;
    if (chance(20)) query.after = static_cast<std::int64_t>(below(20));
    if (chance(50)) query.filter = random_filter(random_);
    if (chance(60)) query.limit = below(5);
    if (chance(10)) query.max_bytes = below(100);
    if (chance(2)) query.cursor = "garbage";
    return query;
  }

  std::mt19937_64 random_;
  const bool sessions_;
  std::uint64_t count_ = 0;
};

// Each thing once, in an order of its own.
std::set<std::string> distinct(const Strings& pool) {
  return {pool.begin(), pool.end()};
}

}  // namespace

std::vector<Operation> generate(std::uint64_t seed, std::size_t count, bool sessions) {
  Generator generator(seed, sessions);
  std::vector<Operation> operations;
  operations.reserve(count);
  while (operations.size() < count) operations.push_back(generator.next());
  return operations;
}

std::vector<Operation> all_sessions() {
  std::vector<Operation> questions;
  for (const auto& thread_id : distinct(thread_pool)) {
    questions.emplace_back(StateList{StateScope::of_thread(thread_id), 100, 1000, ""});
    for (const auto& stream : distinct(stream_pool)) {
      MessageList query;
      query.thread_id = thread_id;
      query.stream = stream;
      questions.emplace_back(std::move(query));
    }
  }
  for (const auto& name : distinct(scope_pool)) {
    questions.emplace_back(StateList{StateScope::named(name), 100, 1000, ""});
  }
  return questions;
}

}  // namespace threadkeep::testing
