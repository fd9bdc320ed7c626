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

CheckpointList filtered() {
  CheckpointList query = of_thread("t");
  query.filter = {{"run_id", R"("r")"}};
  return query;
}

}  // namespace

void fill(Checkpointer& store) {
  store.put(Draft("t", "1").value("a", "1", std::string(100'000, 'x')));
  store.put(Draft("t", "2").parent("1").metadata(R"({"run_id": "r"})").value("a", "2", "x"));
  store.put_writes({"t", "", "2", {pending("w", 0, "a", "x")}});
}

std::vector<Operation> mutations() {
  const std::string large(100'000, 'x');
  return {
      {"put", [](auto& s, auto& call) { s.put(Draft("t", "3").parent("2"), call); }},
      {"large put",
       [=](auto& s, auto& call) { s.put(Draft("t", "4").value("a", "4", large), call); }},
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

std::vector<Read> reads() {
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
      {"threads",
       [](auto& s, auto& call) {
         const auto page = s.threads({}, call);
         return page.items.at(0).thread_id + page.items.at(0).metadata;
       }},
  };
}

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const Read& read : reads()) {
    all.push_back({read.name, [read](auto& s, auto& call) { read.run(s, call); }});
  }
  for (Operation& mutation : mutations()) all.push_back(std::move(mutation));
  return all;
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
