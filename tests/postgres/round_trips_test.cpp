// SPDX-License-Identifier: Apache-2.0
// How often a call goes to the server and back, which is what it costs on a network.
#include <gtest/gtest.h>

#include "store_fixture.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::postgres_test {
namespace {

class RoundTrips : public StoreFixture {
 protected:
  RoundTrips()
      : proxy_(testing::PostgresServer::shared().port()),
        far_(Registry::builtin().open(proxy_.in_front_of(url_))) {
    // Connects, looks at the schema, and has a pipeline with an index of everything prepared.
    const auto health = far_->ping(Call());
    EXPECT_TRUE(health.ok) << health.detail;
  }

  // Of one call that does not fail.
  template <class Run>
  std::size_t of(Run&& call) {
    const auto before = proxy_.counts().turns;
    call();
    return proxy_.counts().turns - before;
  }

  std::size_t of_batch(const std::vector<Mutation>& mutations) {
    return of([&] {
      for (const Outcome& outcome : far_->apply(mutations, Call())) {
        EXPECT_FALSE(outcome.error) << outcome.error->what();
      }
    });
  }

  testing::TcpProxy proxy_;
  std::unique_ptr<Backend> far_;
};

Mutation checkpoint(const std::string& thread, const std::string& id) {
  return Draft(thread, id).value("a", id, "x").value("b", id, "y").metadata(R"({"run_id": "r"})");
}

TEST_F(RoundTrips, a_put_takes_one) {
  EXPECT_EQ(of_batch({checkpoint("t", "1")}), 1U);
  EXPECT_EQ(of_batch({checkpoint("t", "2")}), 1U) << "also when it is prepared";
  EXPECT_EQ(of_batch({Draft("t", "3").parent("2").require_latest_parent()}), 1U);
}

TEST_F(RoundTrips, a_put_of_many_blobs_takes_one) {
  Draft draft("t", "1");
  for (int i = 0; i < 2'500; ++i) draft.value("channel" + std::to_string(i), "1", "x");
  EXPECT_EQ(of_batch({draft}), 1U);
}

TEST_F(RoundTrips, pending_writes_take_one) {
  EXPECT_EQ(of_batch({PutWrites{"t", "", "1", {pending("task", 0, "a", "x")}}}), 1U);
}

TEST_F(RoundTrips, a_batch_of_many_threads_takes_one) {
  std::vector<Mutation> mutations;
  for (int i = 0; i < 50; ++i) {
    const auto thread = "t" + std::to_string(i);
    mutations.push_back(checkpoint(thread, "1"));
    mutations.emplace_back(PutWrites{thread, "", "1", {pending("task", 0, "a", "x")}});
    mutations.emplace_back(PutThread{thread, R"({"n": 1})"});
    if (i % 10 == 0) mutations.emplace_back(DeleteThread{thread});
  }
  EXPECT_EQ(of_batch(mutations), 1U);
}

TEST_F(RoundTrips, deleting_and_copying_a_thread_takes_one) {
  EXPECT_EQ(of_batch({checkpoint("t", "1")}), 1U);
  EXPECT_EQ(of_batch({CopyThread{"t", "copy"}}), 1U);
  EXPECT_EQ(of_batch({DeleteThread{"t"}}), 1U);
}

TEST_F(RoundTrips, deletions_that_read_first_take_two_or_three) {
  EXPECT_EQ(of_batch({checkpoint("t", "1"), checkpoint("t", "2")}), 1U);
  EXPECT_EQ(of_batch({Prune{"t"}}), 2U);
  EXPECT_EQ(of_batch({DeleteRuns{{"r"}}}), 3U);
  EXPECT_EQ(of_batch({DeleteRuns{{"unknown"}}}), 1U);
}

TEST_F(RoundTrips, a_read_takes_one) {
  EXPECT_EQ(of_batch({checkpoint("t", "1"), checkpoint("t", "2")}), 1U);
  const CheckpointQuery latest{"t", "", {}, {}};
  EXPECT_EQ(of([&] { EXPECT_TRUE(far_->get(latest, Call())); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_TRUE(far_->get({"t", "", "1", {}}, Call())); }), 1U);
  CheckpointList page;
  page.thread_id = "t";
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->list(page, Call()).items.size(), 2U); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->list({}, Call()).items.size(), 2U); }), 1U);
  EXPECT_EQ(of([&] { far_->history({"t", "", {}, {"a"}}, Call()); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->threads({}, Call()).items.size(), 1U); }), 1U);
}

AppendMessages append(const std::string& thread, const std::string& id) {
  AppendMessages append;
  append.thread_id = thread;
  append.operation_id = "append " + id;
  append.messages = {{id, "user", "1", "{}"}};
  append.state = {{"last", StateChange::Kind::put, "\"" + id + "\"", {}}};
  return append;
}

ChangeState change(const StateScope& scope, StateChange::Kind kind, const std::string& value) {
  return {scope, {{"k", kind, value, {}}}};
}

TEST_F(RoundTrips, an_append_takes_one) {
  EXPECT_EQ(of_batch({append("t", "1")}), 1U);
  EXPECT_EQ(of_batch({append("t", "2")}), 1U) << "to a stream that has messages";
  EXPECT_EQ(of_batch({append("t", "2")}), 1U) << "once more";
  AppendMessages many = append("t", "many");
  for (int i = 0; i < 999; ++i) many.messages.push_back({"m" + std::to_string(i), "", "1", "{}"});
  EXPECT_EQ(of_batch({many}), 1U);
}

TEST_F(RoundTrips, popping_removing_and_clearing_takes_one) {
  EXPECT_EQ(of_batch({append("t", "1"), append("t", "2"), append("t", "3")}), 1U);
  EXPECT_EQ(of_batch({PopMessages{"t", "", 1, "pop"}}), 1U);
  EXPECT_EQ(of_batch({RemoveMessages{"t", {"1"}}}), 1U);
  EXPECT_EQ(of_batch({ClearMessages{"t", ""}}), 1U);
  EXPECT_EQ(of_batch({ClearMessages{"t", {}}}), 1U);
}

TEST_F(RoundTrips, a_change_of_state_takes_one_and_what_the_program_compares_two) {
  using Kind = StateChange::Kind;
  for (const auto& scope : {StateScope::of_thread("t"), StateScope::named("n")}) {
    EXPECT_EQ(of_batch({change(scope, Kind::put, "{}")}), 1U);
    EXPECT_EQ(of_batch({change(scope, Kind::put, "1")}), 1U) << "of another value";
    EXPECT_EQ(of_batch({change(scope, Kind::put, "1")}), 1U) << "of the same";
    EXPECT_EQ(of_batch({change(scope, Kind::put, "1.0")}), 3U)
        << "of the same, spelled otherwise: begun in vain, and compared";
    EXPECT_EQ(of_batch({change(scope, Kind::merge, R"({"a": 1})")}), 2U);
    EXPECT_EQ(of_batch({change(scope, Kind::erase, "")}), 1U);
  }
  EXPECT_EQ(of_batch({append("t", "1")}), 1U);
  EXPECT_EQ(of_batch({UpdateMessage{"t", "1", "2", {}, {}}}), 2U);
}

TEST_F(RoundTrips, session_mutations_of_many_threads_take_one) {
  std::vector<Mutation> mutations;
  for (int i = 0; i < 30; ++i) {
    mutations.emplace_back(append("t" + std::to_string(i % 10), std::to_string(i)));
    mutations.emplace_back(change(StateScope::named("n"), StateChange::Kind::put, "1"));
  }
  EXPECT_EQ(of_batch(mutations), 1U);
}

TEST_F(RoundTrips, a_read_of_messages_and_state_takes_one_and_a_filter_two) {
  EXPECT_EQ(of_batch({append("t", "1"), append("t", "2")}), 1U);
  MessageList list;
  list.thread_id = "t";
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->messages(list, Call()).items.size(), 2U); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->count_messages(list, Call()), 2U); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_TRUE(far_->message({"t", "1"}, Call())); }), 1U);
  const auto scope = StateScope::of_thread("t");
  EXPECT_EQ(of([&] { EXPECT_TRUE(far_->state({scope, "last"}, Call())); }), 1U);
  StateList states;
  states.scope = scope;
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->states(states, Call()).items.size(), 1U); }), 1U);
  EXPECT_EQ(of([&] { EXPECT_TRUE(far_->thread({"t"}, Call())); }), 1U);
  list.filter = Filter::eq({"role"}, "\"user\"");
  EXPECT_EQ(of([&] { EXPECT_EQ(far_->messages(list, Call()).items.size(), 2U); }), 2U);
}

}  // namespace
}  // namespace threadkeep::postgres_test
