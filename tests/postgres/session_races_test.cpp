// SPDX-License-Identifier: Apache-2.0
// Processes that append to one stream, take its messages away and count in one document, all at the
// same moment.
#include <gtest/gtest.h>

#include "chaos_store.hpp"
#include "processes.hpp"

namespace threadkeep::postgres_test {
namespace {

class SessionRaces : public ::testing::Test {
 protected:
  SessionRaces() { open_backend(schema_.url())->setup(Call()); }

  Schema schema_;
  RawDatabase raw_{schema_.url()};
};

AppendMessages append_of(int process, int round, int messages) {
  AppendMessages append;
  append.thread_id = "t";
  append.operation_id = padded(process) + " " + padded(round);
  for (int i = 0; i < messages; ++i) {
    append.messages.push_back({append.operation_id + " " + padded(i), "user", "1", "{}"});
  }
  return append;
}

TEST_F(SessionRaces, sixteen_processes_append_without_gaps) {
  constexpr int processes = 16;
  constexpr int rounds = 15;
  constexpr int messages = 3;
  Barrier barrier(processes);
  run_processes(processes, [&](int process) {
    const auto backend = open_backend(schema_.url());
    barrier.wait();
    for (int round = 0; round < rounds; ++round) {
      const auto append = append_of(process, round, messages);
      const auto first = apply(*backend, append);
      require(first == apply(*backend, append), "the same again is done once");
    }
  });
  EXPECT_EQ(raw_.value("SELECT count(*) || ' ' || min(seq) || ' ' || max(seq) || ' ' || "
                       "count(DISTINCT seq) FROM threadkeep_messages"),
            "720 1 720 720");
  EXPECT_EQ(raw_.value("SELECT last_seq FROM threadkeep_streams"), "720");
  EXPECT_EQ(raw_.value("SELECT revision FROM threadkeep_threads"), "240");
  EXPECT_EQ(raw_.value("SELECT count(*) FROM (SELECT max(seq) - min(seq) AS span FROM "
                       "threadkeep_messages GROUP BY left(id, -" +
                       std::to_string(padded(0).size() + 1) + ")) AS batch WHERE span <> 2"),
            "0")
      << "an append was torn";
}

TEST_F(SessionRaces, no_message_is_popped_twice) {
  constexpr int poppers = 4;
  constexpr int messages = 200;
  apply(*open_backend(schema_.url()), append_of(0, 0, messages));
  raw_.run("CREATE TABLE popped (id text PRIMARY KEY)");
  Barrier barrier(poppers);
  run_processes(poppers, [&](int process) {
    const auto backend = open_backend(schema_.url());
    RawDatabase raw(schema_.url());
    barrier.wait();
    for (int round = 0;; ++round) {
      const PopMessages pop{"t", "", 3, "pop " + padded(process) + " " + padded(round)};
      const auto popped = apply(*backend, pop);
      if (popped.messages.empty()) return;
      require(popped == apply(*backend, pop), "the same again is done once");
      for (const auto& message : popped.messages) {
        raw.run("INSERT INTO popped VALUES ($1)", {message.id});
      }
    }
  });
  EXPECT_EQ(raw_.value("SELECT count(*) FROM popped"), std::to_string(messages));
  EXPECT_EQ(raw_.value("SELECT count(*) FROM threadkeep_messages"), "0");
}

void count_up(Backend& backend, const StateScope& scope, int times) {
  while (times > 0) {
    const auto stored = backend.state({scope, "n"}, Call());
    const auto value = std::to_string((stored ? std::stoi(stored->value) : 0) + 1);
    const auto expected = stored ? stored->version : 0;
    const ChangeState change{scope, {{"n", StateChange::Kind::put, value, expected}}};
    const auto error = error_of([&] { apply(backend, change); });
    if (error && error->code() != Code::conflict) throw *error;
    if (!error) --times;
  }
}

TEST_F(SessionRaces, counters_that_demand_a_version_lose_nothing) {
  constexpr int processes = 4;
  constexpr int times = 25;
  Barrier barrier(processes);
  run_processes(processes, [&](int) {
    const auto backend = open_backend(schema_.url());
    barrier.wait();
    count_up(*backend, StateScope::of_thread("t"), times);
    count_up(*backend, StateScope::named("t"), times);
  });
  for (const std::string table : {"threadkeep_state", "threadkeep_scopes"}) {
    EXPECT_EQ(raw_.value("SELECT value || ' ' || version FROM " + table), "100 100");
  }
}

}  // namespace
}  // namespace threadkeep::postgres_test
