// SPDX-License-Identifier: Apache-2.0
#include "operations.hpp"

#include <algorithm>
#include <utility>

namespace threadkeep::postgres_test {

namespace {

constexpr std::size_t batch_size = 5;

Draft checkpoint(const std::string& thread, int number) {
  Draft draft(thread, std::to_string(number));
  if (number > 1) draft.parent(std::to_string(number - 1));
  return draft.value("a", std::to_string(number), std::string(300, 'a'))
      .value("b", std::to_string(number), "b")
      .metadata("{\"run_id\": " + testing::json_string(thread + " run " + std::to_string(number)) +
                "}");
}

PutWrites writes(const std::string& thread) {
  return {
      thread,
      "",
      "3",
      {pending("task", 0, "a", "1"), pending("task", 1, "a", "2"), pending("task", -1, "b", "3")}};
}

AppendMessages append(const std::string& thread, const std::string& name) {
  AppendMessages append;
  append.thread_id = thread;
  append.operation_id = name;
  append.messages = {{name + " 1", "user", "1", "{}"}, {name + " 2", "assistant", "2", "{}"}};
  append.state = {{"last", StateChange::Kind::put, "\"" + name + "\"", {}}};
  return append;
}

ChangeState change(const std::string& thread, StateChange::Kind kind) {
  return {StateScope::of_thread(thread), {{"last", kind, R"({"a": 1})", {}}}};
}

void prepare_thread(Backend& backend, const std::string& thread) {
  for (int number = 1; number <= 3; ++number) apply(backend, checkpoint(thread, number));
  apply(backend, writes(thread));
  apply(backend, append(thread, "prepared"));
}

using Batch = std::vector<Mutation>;

Batch five_puts(const std::string& id) {
  Batch batch;
  for (std::size_t i = 0; i < batch_size; ++i) batch.push_back(checkpoint(thread_of(id, i), 4));
  return batch;
}

PutWrites late_writes(const std::string& thread) {
  return {thread, "", "3", {pending("late", 0, "a", "1"), pending("late", -1, "b", "2")}};
}

std::vector<Operation> writing_operations() {
  const auto of = [](std::string name, const std::function<Mutation(const std::string&)>& make) {
    const auto batch = [make](const std::string& id) { return Batch{make(thread_of(id, 0))}; };
    return Operation{std::move(name), batch, {}};
  };
  const auto demand = [](const std::string& t) { return checkpoint(t, 4).require_latest_parent(); };
  return {
      of("put", [](const std::string& t) { return PutCheckpoint(checkpoint(t, 4)); }),
      of("put_on_latest", [=](const std::string& t) { return PutCheckpoint(demand(t)); }),
      of("put_writes", [](const std::string& t) { return late_writes(t); }),
      of("put_thread",
         [](const std::string& t) {
           return PutThread{t, R"({"name": "n"})"};
         }),
      of("delete_thread", [](const std::string& t) { return DeleteThread{t}; }),
      of("delete_runs", [](const std::string& t) { return DeleteRuns{{t + " run 2"}}; }),
      of("copy_thread",
         [](const std::string& t) {
           return CopyThread{"source", t};
         }),
      of("prune", [](const std::string& t) { return Prune{t}; }),
      of("append", [](const std::string& t) { return append(t, "appended"); }),
      of("pop",
         [](const std::string& t) {
           return PopMessages{t, "", 1, "pop"};
         }),
      of("update_message",
         [](const std::string& t) {
           return UpdateMessage{t, "prepared 1", "2", {}, {}};
         }),
      of("remove_messages",
         [](const std::string& t) {
           return RemoveMessages{t, {"prepared 1"}};
         }),
      of("clear_messages",
         [](const std::string& t) {
           return ClearMessages{t, {}};
         }),
      of("erase_state", [](const std::string& t) { return change(t, StateChange::Kind::erase); }),
      of("put_state", [](const std::string& t) { return change(t, StateChange::Kind::put); }),
      of("merge_state", [](const std::string& t) { return change(t, StateChange::Kind::merge); }),
      Operation{"batch", five_puts, {}},
  };
}

std::string text_of(const Page<CheckpointTuple>& page) {
  std::string text;
  for (const auto& tuple : page.items) {
    text += tuple.checkpoint_id + " " + std::to_string(tuple.values.size()) + " " +
            std::to_string(tuple.writes.size()) + ", ";
  }
  return text;
}

std::string list(Backend& backend, const Call& call) {
  CheckpointList query;
  query.thread_id = "read";
  return text_of(backend.list(query, call));
}

std::string get(Backend& backend, const Call& call) {
  const auto tuple = backend.get({"read", "", {}, {}}, call);
  return tuple ? text_of({{*tuple}, ""}) : "absent";
}

std::string history(Backend& backend, const Call& call) {
  const auto channels = backend.history({"read", "", {}, {"a"}}, call);
  const auto& seed = channels.at(0).seed;
  return seed ? seed->version + " " + std::to_string(seed->data.size()) : "none";
}

std::string threads(Backend& backend, const Call& call) {
  return backend.threads({{}, 1, {}}, call).items.at(0).thread_id;
}

std::string messages(Backend& backend, const Call& call) {
  MessageList list;
  list.thread_id = "read";
  std::string text;
  for (const auto& message : backend.messages(list, call).items) text += message.id + ", ";
  return text;
}

std::string count_filtered(Backend& backend, const Call& call) {
  MessageList list;
  list.thread_id = "read";
  list.filter = Filter::eq({"role"}, "\"user\"");
  return std::to_string(backend.count_messages(list, call));
}

std::string loose_writes(Backend& backend, const Call& call) {
  std::string text;
  for (const auto& put : backend.loose_writes({"read", {}, 100}, call)) {
    text += put.checkpoint_id + " " + std::to_string(put.writes.size()) + ", ";
  }
  return text;
}

std::string thread(Backend& backend, const Call& call) {
  const auto found = backend.thread({"read"}, call);
  return found ? std::to_string(found->revision) : "absent";
}

std::string streams(Backend& backend, const Call& call) {
  std::string text;
  for (const auto& stream : backend.streams({"read"}, call)) text += "'" + stream + "' ";
  return text;
}

std::string message(Backend& backend, const Call& call) {
  return backend.message({"read", "prepared 1"}, call).value().content;
}

std::string state(Backend& backend, const Call& call) {
  return backend.state({StateScope::of_thread("read"), "last"}, call).value().value;
}

std::string states(Backend& backend, const Call& call) {
  StateList list;
  list.scope = StateScope::of_thread("read");
  return backend.states(list, call).items.at(0).value;
}

std::string stats(Backend& backend, const Call& call) {
  return backend.stats({}, call).method;
}

// It reports what others throw.
std::string examine(Backend& backend, const Call& call) {
  const auto findings = backend.examine(call);
  const auto fails = [](const Finding& finding) {
    return (finding.subject == "store" && finding.level == Finding::Level::problem) ||
           finding.text.starts_with("not examined");
  };
  const auto failure = std::find_if(findings.begin(), findings.end(), fails);
  if (failure != findings.end()) throw Error(Code::unavailable, failure->text);
  return "findings";
}

// It reports what others throw.
std::string ping(Backend& backend, const Call& call) {
  const auto health = backend.ping(call);
  if (!health.ok) throw Error(Code::unavailable, health.detail);
  return "ok";
}

std::string setup(Backend& backend, const Call& call) {
  backend.setup(call);
  return "done";
}

}  // namespace

bool Ended::succeeded() const {
  return std::none_of(errors.begin(), errors.end(), [](const auto& error) { return error; });
}

Ended Operation::carry_out(Backend& backend, const std::string& id, const Call& call) const {
  const auto mutations = writes() ? batch(id) : Batch();
  Ended ended;
  ended.lasted = duration_of([&] {
    const auto thrown = error_of([&] {
      if (!writes()) return void(ended.text = read(backend, call));
      for (auto& outcome : backend.apply(mutations, call)) ended.errors.push_back(outcome.error);
    });
    if (thrown || !writes())
      ended.errors.assign(std::max<std::size_t>(1, mutations.size()), thrown);
  });
  return ended;
}

std::vector<Operation> operations() {
  auto all = writing_operations();
  all.push_back({"get", {}, get});
  all.push_back({"list", {}, list});
  all.push_back({"history", {}, history});
  all.push_back({"threads", {}, threads});
  all.push_back({"thread", {}, thread});
  all.push_back({"loose_writes", {}, loose_writes});
  all.push_back({"messages", {}, messages});
  all.push_back({"streams", {}, streams});
  all.push_back({"count_messages", {}, count_filtered});
  all.push_back({"message", {}, message});
  all.push_back({"state", {}, state});
  all.push_back({"states", {}, states});
  all.push_back({"stats", {}, stats});
  all.push_back({"examine", {}, examine});
  all.push_back({"ping", {}, ping});
  all.push_back({"setup", {}, setup});
  return all;
}

void prepare(Backend& backend, const Operation& operation, const std::string& id) {
  if (!operation.writes() || operation.name == "copy_thread") return;
  const auto threads = operation.batch(id).size();
  for (std::size_t i = 0; i < threads; ++i) prepare_thread(backend, thread_of(id, i));
}

void prepare_for_reads(Backend& backend) {
  prepare_thread(backend, "read");
  apply(backend, PutWrites{"read", "", "loose", {pending("task", 0, "a", "1")}});
  prepare_thread(backend, "source");
}

std::string thread_of(const std::string& id, std::size_t place) {
  return id + "-" + std::to_string(place);
}

std::string state_of(RawDatabase& raw, const std::string& thread) {
  return raw
      .run(
          "SELECT (SELECT count(*) FROM checkpoints WHERE thread_id = $1) || ' checkpoints, ' || "
          "(SELECT count(*) FROM checkpoint_blobs WHERE thread_id = $1) || ' blobs, ' || "
          "(SELECT count(*) FROM checkpoint_writes WHERE thread_id = $1) || ' writes, ' || "
          "(SELECT count(*) FROM threadkeep_tombstones WHERE thread_id = $1) || ' tombstones, ' "
          "|| (SELECT coalesce(string_agg(id || ' ' || seq, ', ' ORDER BY seq), 'no') "
          "FROM threadkeep_messages WHERE thread_id = $1) || ' messages, ' || "
          "(SELECT coalesce(string_agg(value || ' ' || version, ', '), 'no') "
          "FROM threadkeep_state WHERE thread_id = $1) || ' state, ' || "
          "(SELECT count(*) FROM threadkeep_operations WHERE thread_id = $1) || ' operations, ' "
          "|| coalesce((SELECT 'revision ' || revision FROM threadkeep_threads "
          "WHERE thread_id = $1), 'no thread')",
          {thread})
      .at(0);
}

}  // namespace threadkeep::postgres_test
