// SPDX-License-Identifier: Apache-2.0
// Messages and state in the tables: what the program compares, and what goes with a thread.
#include <gtest/gtest.h>

#include "store_fixture.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using Kind = StateChange::Kind;
using Numbers = std::vector<std::int64_t>;

const auto thread_scope = StateScope::of_thread("t");

ChangeState put(const std::string& value, const StateScope& scope = thread_scope) {
  return {scope, {{"k", Kind::put, value, {}}}};
}

AppendMessages append(const std::string& id, const std::string& content = "1") {
  AppendMessages append;
  append.thread_id = "t";
  append.messages = {{id, "user", content, "{}"}};
  return append;
}

class PostgresSessions : public StoreFixture {
 protected:
  std::string count(const std::string& table) {
    return raw_.value("SELECT count(*) FROM " + table);
  }
};

TEST_F(PostgresSessions, values_that_are_spelled_otherwise_are_equal) {
  write(put("1"));
  EXPECT_EQ(write(put("1.0")).kept, 1U);
  EXPECT_EQ(raw_.value("SELECT value FROM threadkeep_state"), "1");
  AppendMessages first = append("m", R"({"a": 1, "b": 2})");
  write(first);
  EXPECT_EQ(write(append("m", R"({"b": 2.0, "a": 1})")).kept, 1U);
  EXPECT_EQ(apply(append("m", R"({"a": 1})")).error->code(), Code::conflict);
}

TEST_F(PostgresSessions, a_comparison_keeps_the_order_of_its_batch) {
  write(put("1"));
  const std::vector<Mutation> batch = {put("2"), append("a"), put("2.0"), put("3"), append("b")};
  const auto outcomes = backend_->apply(batch, Call());
  for (const Outcome& outcome : outcomes) ASSERT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcomes[0].written.versions, Numbers{2});
  EXPECT_EQ(outcomes[2].written.versions, Numbers{2});
  EXPECT_EQ(outcomes[3].written.versions, Numbers{3});
  EXPECT_EQ(outcomes[4].written.messages.at(0).seq, 2);
}

TEST_F(PostgresSessions, values_with_one_hash_are_told_apart) {
  for (const auto& scope : {thread_scope, StateScope::named("n")}) {
    write(put("1", scope));
    const auto table = scope.name.empty() ? "threadkeep_state" : "threadkeep_scopes";
    const auto hash = std::to_string(static_cast<std::int64_t>(value_hash("2")));
    raw_.run(std::string("UPDATE ") + table + " SET value_hash = " + hash);
    EXPECT_EQ(write(put("2", scope)).versions, Numbers{2});
    EXPECT_EQ(raw_.value(std::string("SELECT value FROM ") + table), "2");
  }
}

TEST_F(PostgresSessions, a_named_scope_is_no_thread) {
  write(put("1", StateScope::named("n")));
  EXPECT_EQ(count("threadkeep_threads"), "0");
  write(DeleteThread{"n"});
  EXPECT_EQ(count("threadkeep_scopes"), "1");
}

// As a program does it that does not know of messages.
TEST_F(PostgresSessions, go_with_the_row_of_their_thread) {
  AppendMessages named = append("a");
  named.operation_id = "op";
  named.state = {{"k", Kind::put, "1", {}}};
  write(named);
  raw_.run("DELETE FROM threadkeep_threads WHERE thread_id = 't'");
  for (const auto* table :
       {"threadkeep_messages", "threadkeep_streams", "threadkeep_state", "threadkeep_operations"}) {
    EXPECT_EQ(count(table), "0") << table;
  }
  EXPECT_EQ(write(named).messages.at(0).seq, 1);
}

TEST_F(PostgresSessions, of_a_thread_of_another_saver_begin_at_an_unknown_time) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) VALUES ('t', '1', '{}')");
  write(append("a"));
  EXPECT_EQ(raw_.value("SELECT created_at IS NULL FROM threadkeep_threads"), "t");
  EXPECT_EQ(backend_->thread({"t"}, Call())->revision, 1);
}

TEST_F(PostgresSessions, are_found_by_a_filter_in_a_long_stream) {
  write(append("first"));
  raw_.run(
      "INSERT INTO threadkeep_messages SELECT 't', '', n, 'm' || n, 'user', now(), 1, "
      "'{\"third\": ' || (n % 3 = 0) || '}', '1' FROM generate_series(2, 12000) AS n");
  MessageList list;
  list.thread_id = "t";
  list.filter = Filter::eq({"metadata", "third"}, "true");
  EXPECT_EQ(backend_->count_messages(list, Call()), 4000U);
  std::size_t found = 0;
  do {
    const auto page = backend_->messages(list, Call());
    found += page.items.size();
    list.cursor = page.next;
    list.limit = 1000;
  } while (!list.cursor.empty());
  EXPECT_EQ(found, 4000U);
  list.direction = Direction::backward;
  list.limit = 1;
  list.filter = Filter::eq({"metadata", "third"}, "1");
  EXPECT_TRUE(backend_->messages(list, Call()).items.empty());
  list.filter = Filter::negation(Filter::exists({"metadata", "third"}));
  EXPECT_EQ(backend_->messages(list, Call()).items.at(0).id, "first");
}

}  // namespace
}  // namespace threadkeep::postgres_test
