// SPDX-License-Identifier: Apache-2.0
#include "operations.hpp"

namespace threadkeep::redis_test {

namespace {

std::string describe(const CheckpointTuple& tuple) {
  std::string text = tuple.checkpoint_id + " " + tuple.document + tuple.metadata;
  for (const auto& value : tuple.values) text += value.data.view();
  for (const auto& write : tuple.writes) text += write.data.view();
  return text + "\n";
}

std::string describe(const Page<CheckpointTuple>& page) {
  std::string text;
  for (const auto& tuple : page.items) text += describe(tuple);
  return text + page.next;
}

std::string describe(const Message& message) {
  return message.id + "@" + std::to_string(message.seq) + message.content + message.metadata + "\n";
}

std::string describe(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) text += describe(message);
  return text;
}

AppendMessages append_of(const std::string& id, const std::string& content) {
  AppendMessages append{.thread_id = "t",
                        .stream = "",
                        .messages = {},
                        .state = {},
                        .operation_id = {},
                        .expected_revision = {}};
  append.messages = {{id, "user", content, R"({"a": 1})"}, {"", "assistant", content, "{}"}};
  return append;
}

MessageList filtered_messages() {
  MessageList list;
  list.thread_id = "t";
  list.filter = Filter::eq({"metadata", "a"}, "1");
  return list;
}

CheckpointList filtered() {
  CheckpointList query = of_thread("t");
  query.filter = {{"run_id", R"("r")"}};
  return query;
}

// A demand can be sent again with the parent that it found.
void put_on_latest(Checkpointer& store, const Call& call) {
  store.put(Draft("demand", "2").parent("1").require_latest_parent(), call);
}

// What others throw is told by some.
[[noreturn]] void fail(const std::string& text) {
  throw Error(text.starts_with("timeout") ? Code::timeout : Code::unavailable, text);
}

std::string ping(Checkpointer& store, const Call& call) {
  const auto health = store.store()->ping(call);
  if (!health.ok) fail(health.detail);
  return "ok";
}

std::string examine(Checkpointer& store, const Call& call) {
  for (const Finding& finding : store.store()->examine(call)) {
    if (finding.level == Finding::Level::problem) fail(finding.text);
    const std::string unexamined = "not examined: ";
    if (finding.text.starts_with(unexamined)) fail(finding.text.substr(unexamined.size()));
  }
  return "findings";
}

}  // namespace

void fill(Checkpointer& store) {
  store.put(Draft("t", "1").value("a", "1", std::string(100'000, 'x')));
  store.put(Draft("t", "2").parent("1").metadata(R"({"run_id": "r"})").value("a", "2", "x"));
  store.put_writes({"t", "", "2", {pending("w", 0, "a", "x")}});
  store.put_writes({"t", "", "loose", {pending("w", 0, "a", "x")}});
  store.put(Draft("demand", "1"));
  SessionStore sessions(store.store());
  sessions.append(append_of("first", "\"" + std::string(2'000, 'x') + "\""));
  sessions.put_state(StateScope::of_thread("t"), "k", R"({"a": 1})");
  sessions.put_state(StateScope::named("n"), "k", R"({"a": 1})");
}

namespace {

std::vector<Operation> session_mutations() {
  const auto of_t = StateScope::of_thread("t");
  return {
      {"append",
       [](auto& s, auto& call) { SessionStore(s.store()).append(append_of("", "1"), call); }},
      {"append again",
       [](auto& s, auto& call) {
         auto again = append_of("again", "1");
         again.messages.pop_back();
         again.operation_id = "append";
         SessionStore(s.store()).append(again, call);
       }},
      {"update",
       [](auto& s, auto& call) {
         SessionStore(s.store()).update({"t", "first", "2", {}, {}}, call);
       }},
      {"pop",
       [](auto& s, auto& call) {
         SessionStore(s.store()).pop({"t", "", 1, ""}, call);
       }},
      {"remove",
       [](auto& s, auto& call) {
         SessionStore(s.store()).remove({"t", {"again", "nobody"}}, call);
       }},
      {"merge_state",
       [=](auto& s, auto& call) {
         SessionStore(s.store()).merge_state(of_t, "k", R"({"b": 2})", {}, call);
       }},
      {"put_state of a name",
       [](auto& s, auto& call) {
         SessionStore(s.store()).put_state(StateScope::named("n"), "k", "2", {}, call);
       }},
      {"delete_state",
       [=](auto& s, auto& call) { SessionStore(s.store()).delete_state(of_t, "none", {}, call); }},
      {"clear",
       [](auto& s, auto& call) {
         SessionStore(s.store()).clear({"t", "s"}, call);
       }},
  };
}

std::vector<Read> session_reads() {
  return {
      {"messages",
       [](auto& s, auto& call) {
         MessageList list;
         list.thread_id = "t";
         return describe(SessionStore(s.store()).messages(list, call).items);
       }},
      {"messages by filter",
       [](auto& s, auto& call) {
         return describe(SessionStore(s.store()).messages(filtered_messages(), call).items);
       }},
      {"tail",
       [](auto& s, auto& call) {
         return describe(SessionStore(s.store()).tail({"t", "", 1, {}}, call));
       }},
      {"message",
       [](auto& s, auto& call) {
         return describe(SessionStore(s.store()).message({"t", "first"}, call).value());
       }},
      {"count",
       [](auto& s, auto& call) {
         return std::to_string(SessionStore(s.store()).count(filtered_messages(), call));
       }},
      {"state",
       [](auto& s, auto& call) {
         return SessionStore(s.store())
             .state({StateScope::of_thread("t"), "k"}, call)
             .value()
             .value;
       }},
      {"states",
       [](auto& s, auto& call) {
         const auto list = documents_of(StateScope::named("n"));
         return SessionStore(s.store()).states(list, call).items.at(0).value;
       }},
      {"streams",
       [](auto& s, auto& call) { return std::to_string(s.store()->streams({"t"}, call).size()); }},
      {"thread",
       [](auto& s, auto& call) {
         const auto thread = SessionStore(s.store()).thread({"t"}, call).value();
         return std::to_string(thread.revision) + thread.metadata;
       }},
  };
}

std::vector<Operation> checkpoint_mutations() {
  const std::string large(100'000, 'x');
  return {
      {"put", [](auto& s, auto& call) { s.put(Draft("t", "3").parent("2"), call); }},
      {"large put",
       [=](auto& s, auto& call) { s.put(Draft("t", "4").value("a", "4", large), call); }},
      {"put on the latest", put_on_latest},
      {"setup", [](auto& s, auto& call) { s.store()->setup(call); }},
      {"put_writes",
       [](auto& s, auto& call) {
         s.put_writes({"t", "", "2", {pending("x", 0, "a", "x")}}, call);
       }},
      {"put_thread",
       [](auto& s, auto& call) {
         s.put_thread({"t", R"({"a": 1})"}, call);
       }},
      {"copy_thread", [](auto& s, auto& call) { s.copy_thread("t", "u", call); }},
      {"prune",
       [](auto& s, auto& call) {
         s.prune(std::vector<std::string>{"t"}, PruneStrategy::keep_latest, call);
       }},
      {"delete_runs", [](auto& s, auto& call) { s.delete_runs({"r"}, call); }},
      {"delete_thread", [](auto& s, auto& call) { s.delete_thread("nobody", call); }},
  };
}

std::vector<Read> checkpoint_reads() {
  return {
      {"get",
       [](auto& s, auto& call) {
         return describe(s.get({"t", "", {}, {}}, call).value());
       }},
      {"get of a large value",
       [](auto& s, auto& call) {
         return describe(s.get({"t", "", "1", {}}, call).value());
       }},
      {"list", [](auto& s, auto& call) { return describe(s.list(of_thread("t"), call)); }},
      {"list by filter", [](auto& s, auto& call) { return describe(s.list(filtered(), call)); }},
      {"list of all", [](auto& s, auto& call) { return describe(s.list({}, call)); }},
      {"history",
       [](auto& s, auto& call) {
         const auto found = s.history({"t", "", {}, {"a"}}, call);
         return found.at(0).channel + " " + std::to_string(found.at(0).writes.size()) +
                (found.at(0).seed ? " and a seed" : "");
       }},
      {"loose_writes",
       [](auto& s, auto& call) {
         std::string text;
         for (const auto& put : s.store()->loose_writes({"t", {}, 100}, call)) {
           text += put.checkpoint_id + " " + std::to_string(put.writes.size()) + "\n";
         }
         return text;
       }},
      {"ping", ping},
      {"examine", examine},
      {"stats", [](auto& s, auto& call) { return s.store()->stats({}, call).method; }},
      {"threads",
       [](auto& s, auto& call) {
         const auto page = s.threads({}, call);
         return page.items.at(0).thread_id + page.items.at(0).metadata;
       }},
  };
}

}  // namespace

std::vector<Operation> mutations() {
  auto all = checkpoint_mutations();
  for (Operation& mutation : session_mutations()) all.push_back(std::move(mutation));
  return all;
}

std::vector<Read> reads() {
  auto all = checkpoint_reads();
  for (Read& read : session_reads()) all.push_back(std::move(read));
  return all;
}

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const Read& read : reads()) {
    all.push_back({read.name, [read](auto& s, auto& call) { read.run(s, call); }});
  }
  for (Operation& mutation : mutations()) all.push_back(std::move(mutation));
  return all;
}

std::string contents(Checkpointer& store) {
  SessionStore sessions(store.store());
  std::string text = describe(store.list({})) + describe(sessions.messages(messages_of("t")).items);
  for (const auto& scope : {StateScope::of_thread("t"), StateScope::named("n")}) {
    for (const auto& document : sessions.states(documents_of(scope)).items) {
      text += document.key + document.value;
    }
  }
  for (const auto& thread : store.threads({}).items) {
    text += thread.thread_id + thread.metadata + std::to_string(thread.revision);
  }
  return text;
}

bool is_outage(Code code) {
  return code == Code::unavailable || code == Code::outcome_unknown || code == Code::timeout;
}

Traffic traffic_of(const testing::TcpProxy& proxy, const std::function<void()>& call) {
  const auto before = proxy.counts();
  call();
  const auto after = proxy.counts();
  return {after.to_server - before.to_server, after.to_client - before.to_client};
}

}  // namespace threadkeep::redis_test
