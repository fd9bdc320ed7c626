// SPDX-License-Identifier: Apache-2.0
// Threads of which the server has lost a key: an error until they are deleted, never less than was
// stored.
#include <gtest/gtest.h>

#include <set>

#include "layout.hpp"
#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

class TornThread : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PutCheckpoint first = Draft("t", "1").value("a", "1", "x").metadata(R"({"run_id": "r"})");
    store_.put(first);
    store_.put(Draft("t", "2").parent("1").carries("a", "1"));
    const redis::Keys keys("threadkeep", "t");
    client_.run({"DEL", GetParam() == std::string("hash") ? keys.thread : keys.index});
  }

  void expect_corrupt(const std::function<void()>& call, const std::string& what) {
    SCOPED_TRACE(what);
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::corrupt) << error.what();
    EXPECT_NE(error.message().find(":t:t is missing"), std::string::npos) << error.what();
  }

  RedisServer server_;
  RawClient client_{server_};
  Checkpointer store_ = open_store(server_.url());
};

TEST_P(TornThread, stays_an_error_whatever_is_written) {
  const std::string large(100'000, 'x');
  for (const std::string& value : {std::string("small"), large}) {
    expect_corrupt(
        [&] { store_.put(Draft("t", "3").parent("2").carries("a", "1").value("b", "1", value)); },
        "put");
    expect_corrupt(
        [&] {
          store_.put_writes({"t", "", "2", {pending("x", 0, "a", value)}});
        },
        "put_writes");
  }
  expect_corrupt([&] { store_.put_thread({"t", R"({"a": 1})"}); }, "put_thread");
  expect_corrupt([&] { store_.get({"t", "", {}, {}}); }, "latest");
  expect_corrupt([&] { store_.get({"t", "", "1", {}}); }, "get");
  expect_corrupt([&] { store_.list(of_thread("t")); }, "list");
  expect_corrupt([&] { store_.history({"t", "", "2", {"a"}}); }, "history");
  expect_corrupt([&] { store_.copy_thread("t", "u"); }, "copy");
  expect_corrupt([&] { prune(store_, "t"); }, "prune");
  EXPECT_EQ(client_.keys("*:[ti]:t").size(), 1U);
  EXPECT_EQ(client_.keys("*:u").size(), 0U);
}

TEST_P(TornThread, is_no_target_of_a_copy) {
  store_.put(Draft("u", "1").value("a", "1", "x"));
  store_.put(Draft("u", "2").parent("1").carries("a", "1"));
  expect_corrupt([&] { store_.copy_thread("u", "t"); }, "copy");
  EXPECT_EQ(client_.keys("*:[ti]:t").size(), 1U);
}

TEST_P(TornThread, can_be_used_again_after_its_deletion) {
  store_.delete_thread("t");
  EXPECT_FALSE(store_.get({"t", "", {}, {}}));
  store_.put(Draft("t", "3").value("a", "3", "y"));
  EXPECT_EQ(store_.get({"t", "", {}, {}})->values.at(0).data.view(), "y");
}

class TornMessages : public TornThread {
 protected:
  void SetUp() override {
    auto append = messages_for("t", {"a", "b"});
    append.state = {{"k", StateChange::Kind::put, "1", {}}};
    sessions_.append(append);
    sessions_.put_state(StateScope::named("n"), "k", "1");
    for (const auto& scope : {StateScope::of_thread("t"), StateScope::named("n")}) {
      const redis::Keys keys("threadkeep", scope);
      client_.run({"DEL", GetParam() == std::string("hash") ? keys.thread : keys.index});
    }
  }

  void expect_torn(const std::function<void()>& call, const std::string& what) {
    SCOPED_TRACE(what);
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::corrupt) << error.what();
    EXPECT_NE(error.message().find(" is missing"), std::string::npos) << error.what();
  }

  SessionStore sessions_{store_.store()};
};

TEST_P(TornMessages, stay_an_error_whatever_is_asked_or_written) {
  const auto of_t = StateScope::of_thread("t");
  expect_torn([&] { sessions_.append(messages_for("t", {"c"})); }, "append");
  expect_torn([&] { sessions_.update({"t", "a", "2", {}, {}}); }, "update");
  expect_torn([&] { sessions_.pop({"t", "", 1, ""}); }, "pop");
  expect_torn([&] { sessions_.remove({"t", {"a"}}); }, "remove");
  expect_torn([&] { sessions_.clear({"t", {}}); }, "clear");
  expect_torn([&] { sessions_.messages(messages_of("t")); }, "messages");
  expect_torn([&] { sessions_.message({"t", "a"}); }, "message");
  expect_torn([&] { sessions_.count(messages_of("t")); }, "count");
  expect_torn([&] { store_.copy_thread("t", "u"); }, "copy");
  expect_torn([&] { store_.put(Draft("t", "1")); }, "put");
  for (const auto& scope : {of_t, StateScope::named("n")}) {
    expect_torn([&] { sessions_.put_state(scope, "k", "2"); }, "put_state");
    expect_torn([&] { sessions_.state({scope, "k"}); }, "state");
    expect_torn([&] { sessions_.states(documents_of(scope)); }, "states");
  }
  EXPECT_EQ(client_.keys("*:[ti]:t").size(), 1U);
}

TEST_P(TornMessages, can_be_used_again_after_their_deletion) {
  store_.delete_thread("t");
  EXPECT_EQ(sessions_.append(messages_for("t", {"a"})).messages.at(0).seq, 1);
}

TEST(FullServer, refuses_messages_and_state_whole) {
  const RedisServer server({.settings = {{"maxmemory-policy", "noeviction"}}});
  RawClient client(server);
  auto store = open_sessions(server.url("ttl=1h"));
  store.append(messages_for("t", {"a", "b"}));
  store.put_state(StateScope::of_thread("t"), "k", "1");
  client.run({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(code_of([&] { store.append(messages_for("t", {"c"})); }), Code::no_space);
  EXPECT_EQ(code_of([&] { store.append(messages_for("u", {"c"})); }), Code::no_space);
  EXPECT_EQ(code_of([&] { store.put_state(StateScope::of_thread("t"), "k", "2"); }),
            Code::no_space);
  EXPECT_EQ(store.messages(messages_of("t")).items.size(), 2U);
  store.remove({"t", {"a"}});
  client.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(store.messages(messages_of("t")).items.size(), 1U);
  EXPECT_EQ(client.keys("*:u").size(), 0U);
  EXPECT_EQ(store.append(messages_for("t", {"c"})).messages.at(0).seq, 3);
}

TEST(FullServer, has_what_it_acknowledged_and_nothing_of_the_rest) {
  const RedisServer server({.settings = {{"maxmemory-policy", "noeviction"}}});
  RawClient client(server);
  auto store = open_store(server.url("ttl=1h"));
  store.put(Draft("t", padded(0)));
  const auto used = client.value({"INFO", "memory"});
  const auto at = used.find("used_memory:") + 12;
  client.run(
      {"CONFIG", "SET", "maxmemory", std::to_string(std::stoull(used.substr(at)) + 3'000'000)});
  std::set<std::string> acknowledged{padded(0)};
  std::string latest = padded(0);
  int refused = 0;
  for (int i = 1; refused < 40; ++i) {
    const std::string large(static_cast<std::size_t>(i % 7) * 30'000 + 10, 'x');
    PutCheckpoint put = Draft("t", padded(i))
                            .parent(latest)
                            .value("a", padded(i), large)
                            .value("b", padded(i), large);
    try {
      store.put(put);
      acknowledged.insert(latest = padded(i));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::no_space) << error.what();
      ++refused;
    }
  }
  client.run({"CONFIG", "SET", "maxmemory", "0"});
  std::set<std::string> stored;
  for (const auto& tuple : store.list(of_thread("t", 10'000)).items) {
    stored.insert(tuple.checkpoint_id);
    EXPECT_EQ(tuple.values.size(), tuple.checkpoint_id == padded(0) ? 0U : 2U);
  }
  EXPECT_EQ(stored, acknowledged);
  const auto fields = client.value({"HLEN", redis::Keys("threadkeep", "t").thread});
  EXPECT_EQ(fields, std::to_string(3 * acknowledged.size() - 1)) << "a head, and no value too many";
}

INSTANTIATE_TEST_SUITE_P(WithoutTheir, TornMessages, ::testing::Values("hash", "index"),
                         [](const auto& test) { return std::string(test.param); });
INSTANTIATE_TEST_SUITE_P(WithoutIts, TornThread, ::testing::Values("hash", "index"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace threadkeep::redis_test
