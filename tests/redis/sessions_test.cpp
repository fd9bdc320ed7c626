// SPDX-License-Identifier: Apache-2.0
// How messages and state are stored, and what their operations cost.
#include <gtest/gtest.h>

#include <set>

#include "layout.hpp"
#include "operations.hpp"
#include "session_layout.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::string_literals;
using testing::TcpProxy;
using Words = std::vector<std::string>;

const auto of_t = StateScope::of_thread("t");

TEST(SessionLayout, numbers_sort_by_their_value) {
  EXPECT_EQ(redis::sortable(1), "a1");
  EXPECT_EQ(redis::sortable(10), "b10");
  EXPECT_EQ(redis::sortable(9'223'372'036'854'775'807), "s9223372036854775807");
  std::string before;
  for (std::int64_t number = 0; number < 100'000; number += 7) {
    EXPECT_LT(before, redis::sortable(number));
    before = redis::sortable(number);
  }
}

TEST(SessionLayout, bytes_of_values_are_those_of_the_format) {
  const Message message{.stream = "s",
                        .seq = 12,
                        .id = "id",
                        .role = "user",
                        .content = "[1]",
                        .metadata = "{}",
                        .created_at = 77,
                        .version = 3};
  const auto value = redis::encode_message(message);
  EXPECT_EQ(value, "03 77 \0\0\0\4user\0\0\0\2{}[1]"s);
  EXPECT_EQ(redis::decode_message("es\0b12\0id"s, value), message);
  EXPECT_EQ(redis::seq_start("s", 12), "es\0b12"s);
  EXPECT_EQ(redis::encode_document_value("1"),
            redis::encode_document_value("1.0").substr(0, 17) + "1");
  EXPECT_EQ(redis::decode_document("k", "4 0123456789abcdef {}"), (StateDocument{"k", "{}", 4}));
  const auto written = redis::decode_record("0123456789abcdef 5 2 1 7,0 "s +
                                            "\0\0\0\7ea\0a1\0i\0\0\0\x0d"
                                            "01 2 \0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(written.revision, 5);
  EXPECT_EQ(written.versions, (std::vector<std::int64_t>{7, 0}));
  EXPECT_EQ(written.messages.at(0).id, "i");
}

TEST(SessionLayout, damage_is_an_error) {
  const auto value = "03 77 \0\0\0\4user\0\0\0\2{}"s;
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_EQ(code_of([&] { redis::decode_message("e\0a1\0i"s, value.substr(0, size)); }),
              Code::corrupt);
  }
  for (const auto& member : {"e"s, "e\0a1"s, "e\0\0i"s, "e\0ax\0i"s, "e\0a1\0i\0"s}) {
    EXPECT_EQ(code_of([&] { redis::decode_message(member, value); }), Code::corrupt);
  }
  for (const auto* document : {"", "x 0123456789abcdef {}", "4 0123456789abcde {}", "4 0123"}) {
    EXPECT_EQ(code_of([&] { redis::decode_document("k", document); }), Code::corrupt);
  }
  const auto record = "0123456789abcdef 5 2 1 7 \0\0\0\2"s;
  for (std::size_t size = 0; size <= record.size(); ++size) {
    if (record.substr(0, size).ends_with("7 ")) continue;
    EXPECT_EQ(code_of([&] { redis::decode_record(record.substr(0, size)); }), Code::corrupt)
        << size;
  }
}

class Sessions : public ::testing::Test {
 protected:
  Words fields(const std::string& key) { return client_.run({"HKEYS", key}); }

  RedisServer server_;
  RawClient client_{server_};
  SessionStore store_ = open_sessions(server_.url());
};

TEST_F(Sessions, are_stored_as_the_documentation_says) {
  auto append = messages_for("t", {"a"});
  append.stream = "s";
  append.operation_id = "op";
  append.state = {{"k", StateChange::Kind::put, "[1]", {}}};
  store_.append(append);
  const redis::Keys keys("threadkeep", "t");
  EXPECT_EQ(client_.value({"HGET", keys.thread, "ls"}), "1");
  EXPECT_EQ(client_.value({"HGET", keys.thread, "ia"}), "s\0a1"s);
  EXPECT_TRUE(
      client_.value({"HGET", keys.thread, "es\0a1"s}).ends_with("\0\0\0\4user\0\0\0\2{}1"s));
  EXPECT_EQ(client_.value({"HGET", keys.thread, "sk"}), "1 " + redis::encode_document_value("[1]"));
  EXPECT_EQ(client_.value({"HGET", keys.thread, "oop"}).substr(16, 9), " 1 2 0 1 ");
  EXPECT_EQ(client_.run({"ZRANGE", keys.index, "0", "-1"}),
            (Words{"es\0a1\0a"s, "ls", "oa1\0op"s, "sk"}));
  store_.put_state(StateScope::named("n"), "k", "2");
  const redis::Keys named("threadkeep", StateScope::named("n"));
  EXPECT_EQ(client_.value({"HGET", named.thread, "sk"}), "1 " + redis::encode_document_value("2"));
  EXPECT_EQ(client_.run({"ZRANGE", named.index, "0", "-1"}), Words{"sk"});
}

TEST_F(Sessions, of_a_thread_are_in_its_two_keys) {
  for (int i = 0; i < 300; ++i) {
    auto append = messages_for("t", {padded(i)});
    append.stream = std::to_string(i % 7);
    append.operation_id = padded(i);
    append.state = {{padded(i), StateChange::Kind::put, "1", {}}};
    store_.append(append);
  }
  Checkpointer(store_.store()).put(Draft("t", "1").value("a", "1", "x"));
  EXPECT_EQ(client_.keys().size(), 4U);  // with the registry and the format
  Checkpointer(store_.store()).delete_thread("t");
  EXPECT_EQ(client_.keys().size(), 3U);  // a tombstone, its time and the format
}

TEST_F(Sessions, of_a_name_leave_no_key_when_the_last_document_goes) {
  const auto scope = StateScope::named("n");
  store_.put_state(scope, "a", "1");
  store_.put_state(scope, "b", "1");
  EXPECT_EQ(client_.keys("*n").size(), 2U);
  store_.delete_state(scope, "a");
  store_.delete_state(scope, "b");
  EXPECT_EQ(client_.keys("*n").size(), 0U);
}

TEST_F(Sessions, forget_operations_a_thousand_revisions_later) {
  const redis::Keys keys("threadkeep", "t");
  for (int i = 0; i < 1100; ++i) {
    auto append = messages_for("t", {padded(i)});
    append.operation_id = padded(i);
    store_.append(append);
  }
  EXPECT_EQ(client_.value({"ZLEXCOUNT", keys.index, "[o", "(p"}), "1000");
  EXPECT_EQ(client_.value({"HEXISTS", keys.thread, "o" + padded(99)}), "0");
  EXPECT_EQ(client_.value({"HEXISTS", keys.thread, "o" + padded(100)}), "1");
}

TEST_F(Sessions, take_one_round_trip_where_nothing_must_be_compared) {
  TcpProxy proxy(server_.port());
  auto store = open_sessions(proxy.in_front_of(server_.url()));
  Checkpointer warm(open_store(server_.url()));
  fill(warm);  // The server knows all scripts from now on.
  for (const auto& operation : operations()) operation.run(warm, {});
  store.count(messages_of("t"));
  warm.delete_thread("t");
  const auto turns_of = [&](const std::function<void()>& call) {
    const auto before = proxy.counts().turns;
    call();
    return proxy.counts().turns - before;
  };
  store.thread({"t"});
  auto append = messages_for("t", {"a", "b", "c"});
  append.operation_id = "op";
  append.expected_revision = 0;
  append.state = {{"k", StateChange::Kind::put, "1", 0}};
  EXPECT_EQ(turns_of([&] { store.append(append); }), 1U);
  EXPECT_EQ(turns_of([&] { store.append(append); }), 1U) << "done before";
  EXPECT_EQ(turns_of([&] { store.append(messages_for("t", {"a", "c"})); }), 1U) << "all there";
  EXPECT_EQ(turns_of([&] { store.append(messages_for("t", {"a", "d"})); }), 2U) << "one there";
  EXPECT_EQ(turns_of([&] { store.update({"t", "a", "2", {}, {}}); }), 2U);
  EXPECT_EQ(turns_of([&] { store.pop({"t", "", 1, ""}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.remove({"t", {"b"}}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.put_state(of_t, "new", "1"); }), 1U);
  EXPECT_EQ(turns_of([&] { store.put_state(of_t, "new", "1.0"); }), 1U) << "nothing changes";
  EXPECT_EQ(turns_of([&] { store.put_state(of_t, "new", "2"); }), 1U);
  EXPECT_EQ(turns_of([&] { store.put_state(of_t, "new", "3", 2); }), 1U);
  EXPECT_EQ(turns_of([&] { store.merge_state(of_t, "new", R"({"a": 1})"); }), 2U);
  EXPECT_EQ(turns_of([&] { store.delete_state(of_t, "new"); }), 1U);
  EXPECT_EQ(turns_of([&] { store.messages(messages_of("t")); }), 1U);
  EXPECT_EQ(turns_of([&] { store.tail({"t", "", 1, {}}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.message({"t", "a"}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.count(messages_of("t")); }), 1U);
  EXPECT_EQ(turns_of([&] { store.state({of_t, "k"}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.states(documents_of(of_t)); }), 1U);
  EXPECT_EQ(turns_of([&] { store.thread({"t"}); }), 1U);
  EXPECT_EQ(turns_of([&] { store.clear({"t", {}}); }), 1U);
}

TEST_F(Sessions, of_a_hundred_thousand_messages_are_read_by_index) {
  TcpProxy proxy(server_.port());
  auto store = open_sessions(proxy.in_front_of(server_.url()));
  constexpr int count = 100'000;
  for (int from = 0; from < count; from += 1000) {
    std::vector<std::string> ids;
    for (int i = from; i < from + 1000; ++i) ids.push_back(padded(i));
    store.append(messages_for("t", ids));
  }
  const auto values_read_by = [&](const std::function<void()>& call) {
    client_.run({"CONFIG", "RESETSTAT"});
    const auto before = proxy.counts();
    call();
    EXPECT_LT(proxy.counts().to_client - before.to_client, 10'000U);
    EXPECT_EQ(client_.calls("hgetall") + client_.calls("hkeys") + client_.calls("hmget"), 0);
    return client_.calls("hget");
  };
  auto list = messages_of("t", 10);
  EXPECT_LE(values_read_by([&] { store.tail({"t", "", 10, {}}); }), 12);
  EXPECT_LE(values_read_by([&] { list.cursor = store.messages(list).next; }), 12);
  EXPECT_LE(values_read_by([&] { store.messages(list); }), 12);
  list = messages_of("t", 10);
  list.after = 50'000;
  EXPECT_LE(values_read_by([&] { EXPECT_EQ(store.messages(list).items.at(0).seq, 50'001); }), 12);
  EXPECT_LE(values_read_by([&] { EXPECT_EQ(store.count(list), 50'000U); }), 2);
  EXPECT_LE(values_read_by([&] { store.pop({"t", "", 1, ""}); }), 4);
  EXPECT_LE(values_read_by([&] { store.append(messages_for("t", {"new"})); }), 4);
  EXPECT_EQ(Checkpointer(store.store()).copy_thread("t", "u").changed, std::uint64_t{count});
  EXPECT_EQ(store.tail({"u", "", 1, {}}).at(0).id, "new");
  EXPECT_EQ(store.clear({"u", {}}).changed, std::uint64_t{count});
}

TEST_F(Sessions, filtered_are_read_in_pieces) {
  const std::string long_text = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 0; i < 100; ++i) {
    auto append = messages_for("t", {padded(i)});
    append.messages[0].content = long_text;
    append.messages[0].role = i == 5 || i == 90 ? "tool" : "user";
    store_.append(append);
  }
  auto list = messages_of("t", 1);
  list.filter = Filter::eq({"role"}, "\"tool\"");
  const auto page = store_.messages(list);
  EXPECT_EQ(page.items.at(0).id, padded(5));
  list.cursor = page.next;
  EXPECT_EQ(store_.messages(list).items.at(0).id, padded(90));
  TcpProxy proxy(server_.port());
  auto counter = open_sessions(proxy.in_front_of(server_.url()));
  counter.thread({"t"});
  list = messages_of("t");
  list.filter = Filter::eq({"role"}, "\"tool\"");
  const auto traffic = traffic_of(proxy, [&] { EXPECT_EQ(counter.count(list), 2U); });
  EXPECT_LT(traffic.to_client, 50'000U) << "without what they say";
}

TEST_F(Sessions, work_on_after_the_server_forgot_its_scripts) {
  auto checkpointer = open_store(server_.url());
  fill(checkpointer);
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    client_.run({"SCRIPT", "FLUSH"});
    operation.run(checkpointer, {});
  }
}

TEST_F(Sessions, keep_the_order_of_one_thread_in_a_batch) {
  std::vector<Mutation> group;
  for (int i = 0; i < 20; ++i) {
    group.emplace_back(messages_for("t", {padded(i)}));
    group.emplace_back(ChangeState{of_t, {{"k", StateChange::Kind::put, std::to_string(i), {}}}});
    group.emplace_back(PopMessages{"t", "", 1, "pop" + std::to_string(i)});
  }
  const auto outcomes = store_.store()->write_all(std::move(group), Call{});
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_FALSE(outcomes[i].error) << outcomes[i].error->what();
    EXPECT_EQ(outcomes[i].written.revision, static_cast<std::int64_t>(i) + 1);
  }
  EXPECT_EQ(store_.state({of_t, "k"})->value, "19");
}

TEST_F(Sessions, of_format_1_are_taken_up_as_they_are) {
  const redis::Keys keys("old", "t");
  const auto draft = PutCheckpoint(Draft("t", "1").value("a", "1", "x"));
  client_.run({"HSET", redis::meta_key("old"), "format", "1", "buckets", "256"});
  client_.run({"HSET", keys.thread, "h", "5 6 0 1 1 0123456789abcdef ", "m", R"({"a": 1})",
               "c\0"s + "1", redis::encode_before_document(draft) + draft.document, "b\0a\0"s + "1",
               "0text\0x"s});
  client_.run({"ZADD", keys.index, "0", "c\0"s + "1"});
  client_.run({"ZADD", keys.registry, "0", "t"});
  auto store = open_sessions(server_.url("prefix=old"));
  Checkpointer checkpointer(store.store());
  EXPECT_EQ(checkpointer.get({"t", "", {}, {}})->values.at(0).data.view(), "x");
  EXPECT_EQ(store.append(messages_for("t", {"a"})).revision, 1);
  EXPECT_EQ(store.thread({"t"})->metadata, R"({"a": 1})");
  EXPECT_EQ(store.thread({"t"})->created_at, 5);
  // What tells older programs.
  EXPECT_EQ(client_.value({"HGET", redis::meta_key("old"), "format"}), "2");
}

}  // namespace
}  // namespace threadkeep::redis_test
