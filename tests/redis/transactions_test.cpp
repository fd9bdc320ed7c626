// SPDX-License-Identifier: Apache-2.0
// What one mutation leaves behind, in one command or in a transaction with values outside scripts.
#include <gtest/gtest.h>

#include "layout.hpp"
#include "support.hpp"
#include "threadkeep/testing/lockstep.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::redis_test {
namespace {

using testing::TcpProxy;
using Words = std::vector<std::string>;

const std::string large(100'000, 'x');

class Transactions : public ::testing::Test {
 protected:
  std::string fields(const std::string& thread) {
    return client_.value({"HLEN", redis::Keys("threadkeep", thread).thread});
  }

  RedisServer server_;
  RawClient client_{server_};
  Checkpointer store_ = open_store(server_.url());
};

TEST_F(Transactions, that_are_refused_leave_nothing) {
  store_.put(Draft("t", "1"));
  const auto before = client_.run({"HGETALL", redis::Keys("threadkeep", "t").thread});
  for (const std::string& value : {std::string("small"), large}) {
    EXPECT_EQ(
        code_of([&] {
          store_.put(Draft("t", "3").parent("2").value("a", "1", value).require_latest_parent());
        }),
        Code::conflict);
    EXPECT_EQ(client_.run({"HGETALL", redis::Keys("threadkeep", "t").thread}), before);
  }
  EXPECT_EQ(
      code_of([&] {
        store_.put(Draft("new", "2").parent("1").value("a", "1", large).require_latest_parent());
      }),
      Code::conflict);
  EXPECT_EQ(client_.keys("*:new").size(), 0U);
  // The first value of the channel is that of the first put that was let in.
  store_.put(Draft("t", "2").parent("1").value("a", "1", "mine"));
  EXPECT_EQ(store_.get({"t", "", {}, {}})->values.at(0).data.view(), "mine");
}

TEST_F(Transactions, with_dropped_writes_leave_nothing) {
  store_.put(Draft("t", "5"));
  store_.delete_thread("t");
  const auto left = store_.put_writes(
      {"t", "", "5", {pending("a", 0, "c", large), pending("a", -1, "c", large)}});
  EXPECT_EQ(left.dropped, 2U);
  EXPECT_EQ(fields("t"), "1");
}

TEST_F(Transactions, count_what_was_there) {
  for (const std::string& value : {std::string("small"), large}) {
    const std::string thread = value.substr(0, 5);
    const Draft draft = Draft(thread, "1").value("a", "1", value).value("b", "1", value);
    EXPECT_EQ(store_.put(draft), (Written{.changed = 3}));
    EXPECT_EQ(store_.put(draft), (Written{.changed = 1, .kept = 2}));
    const PutWrites writes{thread,
                           "",
                           "1",
                           {pending("x", 0, "c", value), pending("x", -1, "c", value),
                            pending("x", -1, "c", value + "!")}};
    EXPECT_EQ(store_.put_writes(writes), (Written{.changed = 3}));
    EXPECT_EQ(store_.put_writes(writes), (Written{.changed = 2, .kept = 1}));
    const auto tuple = store_.get({thread, "", {}, {}});
    ASSERT_EQ(tuple->writes.size(), 2U);
    EXPECT_EQ(tuple->writes[0].data.view(), value + "!");
  }
}

TEST_F(Transactions, of_equal_content_succeed_when_sent_again) {
  for (const std::string& value : {std::string("small"), large}) {
    const std::string thread = value.substr(0, 5);
    store_.put(Draft(thread, "1"));
    PutCheckpoint put =
        Draft(thread, "2").parent("1").value("a", "1", value).require_latest_parent();
    EXPECT_EQ(store_.put(put), (Written{.changed = 2}));
    EXPECT_EQ(store_.put(put), (Written{.kept = 2}));
    put.document = " " + put.document;
    EXPECT_EQ(store_.put(put), (Written{.kept = 2})) << "equal by value";
    put.metadata = R"({"other": 1})";
    EXPECT_EQ(code_of([&] { store_.put(put); }), Code::conflict);
  }
}

TEST_F(Transactions, work_on_after_the_server_forgot_its_scripts) {
  for (const std::string& value : {std::string("small"), large}) {
    const std::string thread = value.substr(0, 5);
    client_.run({"SCRIPT", "FLUSH"});
    EXPECT_EQ(store_.put(Draft(thread, "1").value("a", "1", value)), (Written{.changed = 2}));
    client_.run({"SCRIPT", "FLUSH"});
    EXPECT_EQ(store_.get({thread, "", {}, {}})->values.size(), 1U);
    client_.run({"SCRIPT", "FLUSH"});
    EXPECT_EQ(store_.list(of_thread(thread)).items.size(), 1U);
    client_.run({"SCRIPT", "FLUSH"});
    EXPECT_EQ(store_.history({thread, "", {}, {"a"}}).size(), 1U);
  }
}

TEST_F(Transactions, of_one_thread_keep_their_order_also_then) {
  client_.run({"SCRIPT", "FLUSH"});
  std::vector<Mutation> group;
  for (int i = 0; i < 20; ++i) {
    group.emplace_back(PutWrites{"t", "", "1", {pending("x", -1, "c", i % 2 ? large : "small")}});
    group.emplace_back(DeleteThread{"t"});
    group.emplace_back(PutWrites{"t", "", "1", {pending("x", -1, "c", std::to_string(i))}});
  }
  group.emplace_back(Draft("t", "1"));
  const auto store = open(server_.url());
  for (const auto& outcome : store->write_all(group, Call{})) EXPECT_FALSE(outcome.error);
  EXPECT_EQ(store_.get({"t", "", {}, {}})->writes.at(0).data.view(), "19");
}

TEST_F(Transactions, that_meet_a_foreign_key_are_corrupt_and_change_nothing) {
  const redis::Keys keys("threadkeep", "t");
  client_.run({"SET", keys.thread, "not ours"});
  for (const std::string& value : {std::string("small"), large}) {
    EXPECT_EQ(code_of([&] { store_.put(Draft("t", "1").value("a", "1", value)); }), Code::corrupt);
    EXPECT_EQ(code_of([&] {
                store_.put_writes({"t", "", "1", {pending("x", 0, "c", value)}});
              }),
              Code::corrupt);
  }
  EXPECT_EQ(code_of([&] { store_.get({"t", "", "1", {}}); }), Code::corrupt);
  EXPECT_EQ(code_of([&] { prune(store_, "t"); }), Code::corrupt);
  EXPECT_EQ(client_.value({"GET", keys.thread}), "not ours");
  EXPECT_EQ(client_.keys("*:[ix]*").size(), 0U);
  EXPECT_EQ(client_.keys("*:r").size(), 0U);
}

TEST_F(Transactions, that_the_server_aborts_tell_its_reason) {
  // Allowed to run scripts, and not what a transaction with values outside needs.
  client_.run({"ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-hsetnx"});
  store_.put(Draft("other", "1"));
  auto limited = open_store("redis://limited:secret@127.0.0.1:" + std::to_string(server_.port()));
  const Error error = error_of([&] { limited.put(Draft("t", "1").value("a", "1", large)); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_EQ(error.native(), "NOPERM");
  EXPECT_EQ(client_.keys("*:t").size(), 0U);
  // The connection is in step.
  EXPECT_FALSE(limited.get({"t", "", {}, {}}));
}

TEST_F(Transactions, whose_script_fails_leave_nothing) {
  store_.put(Draft("t", "1"));
  client_.run({"ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-zadd"});
  auto limited = open_store("redis://limited:secret@127.0.0.1:" + std::to_string(server_.port()));
  const auto before = client_.run({"HGETALL", redis::Keys("threadkeep", "t").thread});
  EXPECT_EQ(code_of([&] { limited.put(Draft("t", "2").parent("1").value("a", "1", large)); }),
            Code::denied);
  EXPECT_EQ(code_of([&] { limited.put(Draft("new", "2").value("a", "1", large)); }), Code::denied);
  EXPECT_EQ(code_of([&] {
              limited.put_writes({"new", "", "2", {pending("x", 0, "a", large)}});
            }),
            Code::denied);
  EXPECT_EQ(code_of([&] { limited.copy_thread("t", "new"); }), Code::denied);
  EXPECT_EQ(client_.run({"HGETALL", redis::Keys("threadkeep", "t").thread}), before);
  EXPECT_EQ(client_.keys("*:new").size(), 0U);
}

TEST_F(Transactions, take_one_round_trip) {
  TcpProxy proxy(server_.port());
  auto store = open_store(proxy.in_front_of(server_.url()));
  const auto turns_of = [&](const std::function<void()>& call) {
    const auto before = proxy.counts().turns;
    call();
    return proxy.counts().turns - before;
  };
  const auto put = [&](const std::string& id, const std::string& value) {
    return [&, id, value] { store.put(Draft("t", id).value("a", id, value)); };
  };
  store.put(Draft("warm", "1"));
  store.put_writes({"warm", "", "1", {pending("x", 0, "a", "x")}});
  store.delete_thread("warm");
  store.get({"warm", "", {}, {}});
  EXPECT_EQ(turns_of(put("1", "small")), 1U);
  EXPECT_EQ(turns_of([&] { store.get({"t", "", {}, {}}); }), 1U);
  EXPECT_EQ(turns_of(put("2", large)), 1U);
  EXPECT_EQ(turns_of([&] { store.get({"t", "", {}, {}}); }), 2U);
  EXPECT_EQ(turns_of([&] { store.put_writes({"t", "", "2", {pending("x", 0, "a", "x")}}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.put_writes({"t", "", "2", {pending("y", 0, "a", large)}}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.delete_thread("t"); }), 1U);
}

TEST_F(Transactions, keep_two_keys_of_a_thread) {
  for (int i = 1; i <= 50; ++i) {
    store_.put(
        Draft("t", padded(i)).ns("n" + std::to_string(i % 3)).value("a", std::to_string(i), large));
    store_.put_writes({"t", "", padded(i), {pending("x", i, "a", "x")}});
  }
  store_.put_thread({"t", R"({"a": 1})"});
  EXPECT_EQ(client_.keys().size(), 4U);  // with the registry and the format
  store_.delete_thread("t");
  EXPECT_EQ(client_.keys().size(), 3U);  // a tombstone, its time and the format
}

// All values outside scripts, against the oracle.
TEST(LargeTransactions, agree_with_memory) {
  const testing::BackendSpec outside{"redis", [](const Environment& environment) {
                                       return std::make_shared<Store>(Registry::builtin().open(
                                           fresh_url("script_bytes=0"), environment));
                                     }};
  for (std::uint64_t seed = 1001; seed <= 1020; ++seed) {
    const auto report =
        testing::run_lockstep(outside, testing::backend_at("memory", "memory:"), {.seed = seed});
    EXPECT_FALSE(report) << *report;
  }
}

}  // namespace
}  // namespace threadkeep::redis_test
