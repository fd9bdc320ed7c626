// SPDX-License-Identifier: Apache-2.0
// What a sweep has judged goes only as it was judged, and what was ordered beats the time to live.
#include "threadkeep/retention/retention.hpp"

#include <gtest/gtest.h>

#include <set>

#include "layout.hpp"
#include "support.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::redis_test {
namespace {

using retention::ThreadRows;
using Words = std::vector<std::string>;

constexpr std::int64_t hour = 3'600'000;

class RedisRetention : public ::testing::Test {
 protected:
  RedisRetention() { retention_->install(Call()); }

  void put(const std::string& thread, int count) {
    for (int i = 1; i <= count; ++i) {
      Draft draft(thread, padded(i));
      if (i > 1) draft.parent(padded(i - 1));
      store_.write(draft.value("a", std::to_string(i), "x"), Call());
    }
  }
  void apply(const std::string& json) {
    retention_->apply(retention::policies_from_json(json), Call());
  }
  std::size_t checkpoints(const std::string& thread) {
    return store_.list(of_thread(thread), Call()).items.size();
  }
  // Whether the first checkpoint, or all of the thread, goes when `other` is done after the look.
  bool erases(const std::string& thread, bool whole, const std::function<void()>& other) {
    bool erased = false;
    store_.retention()->write(
        [&](retention::Transaction& transaction) {
          const ThreadRows rows = transaction.load(thread);
          other();
          erased = whole ? transaction.erase_thread(rows)
                         : transaction.erase_checkpoints(rows, {{"", {padded(1)}}});
        },
        Call());
    return erased;
  }
  // Of both keys, in milliseconds; -1 where they stay.
  std::int64_t lifetime(const std::string& thread) {
    std::set<std::int64_t> found;
    const auto lifetimes = client_.lifetimes("*:[ti]:" + thread);
    EXPECT_EQ(lifetimes.size(), 2U);
    for (const auto& [key, left] : lifetimes) found.insert(left);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? 0 : *found.begin();
  }
  // The server's clock is not ours to change.
  void let_expire(const std::string& thread) {
    const redis::Keys keys("threadkeep", std::string_view(thread));
    client_.run({"UNLINK", keys.thread, keys.index});
    client_.run({"ZADD", keys.deadlines, "1", thread});
  }
  void expect_about(std::int64_t found, std::int64_t expected) {
    EXPECT_LE(found, expected);
    EXPECT_GT(found, expected - 60'000);
  }

  RedisServer server_;
  RawClient client_{server_};
  Store store_{Registry::builtin().open(server_.url())};
  std::unique_ptr<retention::Retention> retention_ = retention::open_retention(store_);
};

TEST_F(RedisRetention, takes_nothing_that_has_changed_since_it_was_judged) {
  AppendMessages append = messages_for("t", {"m"});
  const auto begin_run = [&] {
    store_.retention()->write(
        [&](retention::Transaction& transaction) {
          retention::RunRecord run;
          run.state = "running";
          run.kind = "sweep";
          const auto last = transaction.runs(1);
          EXPECT_NE(transaction.add_run(run, last.empty() ? 0 : last.front().run), 0);
        },
        Call());
  };
  const std::vector<std::pair<std::string, std::function<void()>>> changes = {
      {"a checkpoint", [&] { store_.write(Draft("t", padded(4)).parent(padded(3)), Call()); }},
      {"a write",
       [&] {
         store_.write(PutWrites{"t", "", padded(3), {pending("t", 1, "b", "x")}}, Call());
       }},
      {"a message", [&] { store_.write(append, Call()); }},
      {"metadata",
       [&] {
         store_.write(PutThread{"t", R"({"a": 1})"}, Call());
       }},
      {"a pin", [&] { retention_->pin("t", Call()); }},
      {"a hold", [&] { retention_->hold("t", "case", Call()); }},
      {"a time", [&] { retention_->expire("t", 1, Call()); }},
      {"policies", [&] { apply("[]"); }},
      {"a later sweep", begin_run}};
  put("t", 3);
  for (const bool whole : {false, true}) {
    for (const auto& [name, change] : changes) {
      EXPECT_FALSE(erases("t", whole, change)) << name;
      EXPECT_GE(checkpoints("t"), 3U) << name;
      store_.write(DeleteThread{"t"}, Call());
      retention_->unpin("t", Call());
      retention_->release("t", "case", Call());
      retention_->expire("t", {}, Call());
      put("t", 3);
    }
    EXPECT_TRUE(erases("t", whole, [] {}));
    EXPECT_EQ(checkpoints("t"), whole ? 0U : 2U);
    put("t", 3);
  }
}

TEST_F(RedisRetention, takes_nothing_of_a_thread_that_was_made_anew) {
  put("t", 3);
  EXPECT_FALSE(erases("t", true, [&] {
    store_.write(DeleteThread{"t"}, Call());
    put("t", 3);
  }));
  EXPECT_EQ(checkpoints("t"), 3U);
}

TEST_F(RedisRetention, takes_nothing_where_a_special_write_was_replaced) {
  const auto write = [&](const std::string& value) {
    store_.write(PutWrites{"t", "", padded(3), {pending("t", -1, "__error__", value)}}, Call());
  };
  put("t", 3);
  write("first");
  // The other goes beside the script.
  for (const std::string& value : {std::string("other"), std::string(100'000, 'x')}) {
    for (const bool whole : {false, true}) {
      EXPECT_FALSE(erases("t", whole, [&] { write(value); })) << value.size();
    }
  }
  EXPECT_EQ(checkpoints("t"), 3U);
  EXPECT_TRUE(erases("t", true, [] {}));
}

TEST_F(RedisRetention, lets_one_of_two_sweeps_begin_that_come_at_once) {
  retention::RunRecord run;
  run.state = "running";
  run.kind = "sweep";
  store_.retention()->write(
      [&](retention::Transaction& transaction) {
        EXPECT_EQ(transaction.add_run(run, 0), 1);
        EXPECT_EQ(transaction.add_run(run, 0), 0);
        run.run = 1;
        run.state = "died";
        EXPECT_TRUE(transaction.change_run(run));
        run.state = "running";
        EXPECT_FALSE(transaction.change_run(run)) << "it is dead";
      },
      Call());
}

TEST_F(RedisRetention, frees_memory_in_the_background_and_leaves_no_names) {
  for (const char* thread : {"a", "b", "c"}) put(thread, 5);
  for (const char* thread : {"a", "b", "c"}) retention_->expire(thread, 1, Call());
  client_.run({"CONFIG", "RESETSTAT"});
  EXPECT_EQ(retention_->sweep({}, Call()).swept.threads, 3U);
  EXPECT_EQ(client_.calls("del"), 0);
  EXPECT_EQ(client_.calls("unlink"), 3);
  for (const char* kind : {"*:i:*", "*:[rx]"}) EXPECT_TRUE(client_.keys(kind).empty()) << kind;
  for (const auto& key : client_.keys("*:t:*")) {
    EXPECT_EQ(client_.run({"HKEYS", key}), Words{"h"}) << "only the tombstone stays";
  }
  for (const auto& key : client_.keys("*:o")) EXPECT_EQ(client_.run({"HKEYS", key}), Words{"f"});
}

TEST_F(RedisRetention, passes_over_a_thread_that_the_server_has_torn) {
  put("torn", 2);
  put("whole", 2);
  for (const char* thread : {"torn", "whole"}) retention_->expire(thread, 1, Call());
  client_.run({"DEL", redis::Keys("threadkeep", std::string_view("torn")).index});
  EXPECT_EQ(retention_->sweep({}, Call()).swept.threads, 1U);
}

TEST_F(RedisRetention, keeps_a_thread_from_expiring_as_soon_as_it_is_pinned_or_held) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto write = [&] { expiring.write(Draft("t", "2").value("a", "1", "x"), Call()); };
  write();
  expect_about(lifetime("t"), hour);
  retention_->pin("t", Call());
  EXPECT_EQ(lifetime("t"), -1);
  write();
  EXPECT_EQ(lifetime("t"), -1);
  retention_->hold("t", "case", Call());
  retention_->unpin("t", Call());
  write();
  EXPECT_EQ(lifetime("t"), -1);
  retention_->release("t", "case", Call());
  write();
  expect_about(lifetime("t"), hour);
}

TEST_F(RedisRetention, lets_a_thread_expire_at_its_own_time) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto write = [&] { expiring.write(Draft("t", "2").value("a", "1", "x"), Call()); };
  write();
  const auto now = Environment::system().now();
  retention_->expire("t", now + 3 * hour * 1000, Call());
  expect_about(lifetime("t"), 3 * hour);
  write();
  expect_about(lifetime("t"), 3 * hour);
  expiring.get({"t", "", {}, {}}, Call());
  expect_about(lifetime("t"), 3 * hour);
  retention_->expire("t", 1, Call());
  expect_about(lifetime("t"), 60'000);
  retention_->expire("t", {}, Call());
  EXPECT_EQ(lifetime("t"), -1);
  write();
  expect_about(lifetime("t"), hour);
}

TEST_F(RedisRetention, finds_threads_that_do_not_expire) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto audit = retention::open_retention(expiring);
  EXPECT_EQ(audit->expiry(Call()).without, 0U);
  put("old", 1);
  put("pinned", 1);
  put("torn", 1);
  retention_->pin("pinned", Call());
  expiring.write(Draft("t", "1"), Call());
  expiring.write(Draft("torn", "1"), Call());
  client_.run({"PERSIST", redis::Keys("threadkeep", std::string_view("torn")).index});
  const auto report = audit->expiry(Call());
  EXPECT_TRUE(report.expected);
  EXPECT_EQ(report.threads, 4U);
  EXPECT_EQ(report.without, 2U);
  EXPECT_EQ(report.ids, (Words{"old", "torn"}));
  for (const char* thread : {"old", "torn"}) expiring.write(Draft(thread, "2"), Call());
  EXPECT_EQ(audit->expiry(Call()).without, 0U);
  EXPECT_FALSE(retention_->expiry(Call()).expected) << "its URL has no ttl";
}

TEST_F(RedisRetention, forgets_the_names_and_times_of_threads_that_have_expired) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto begin_and_end = [&] {
    expiring.write(Draft("t", "1").value("a", "1", "x"), Call());
    retention_->expire("t", 1, Call());
    let_expire("t");
  };
  begin_and_end();
  retention_->sweep({}, Call());
  EXPECT_TRUE(client_.keys("*:[rx]").empty());
  for (const auto& key : client_.keys("*:o")) EXPECT_EQ(client_.run({"HKEYS", key}), Words{"f"});
  begin_and_end();
  put("t", 1);
  EXPECT_EQ(retention_->sweep({}, Call()).swept.threads, 0U) << "it is another thread";
  EXPECT_EQ(checkpoints("t"), 1U);
}

TEST_F(RedisRetention, keeps_the_time_that_is_ordered_after_a_thread_has_expired) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto later = [] { return Environment::system().now() + 3 * hour * 1000; };
  const std::vector<std::function<void()>> between = {
      [] {},
      [&] {
        expiring.write(PutWrites{"t", "", "1", {pending("t", 0, "a", "x")}}, Call());
      }};
  for (const auto& write : between) {
    expiring.write(Draft("t", "1").value("a", "1", "x"), Call());
    retention_->expire("t", later() + 1, Call());
    let_expire("t");
    write();
    retention_->expire("t", later(), Call());
    EXPECT_TRUE(client_.keys("*:[rx]").empty()) << "what the old thread left";
    expiring.write(Draft("t", "1").value("a", "1", "x"), Call());
    expect_about(lifetime("t"), 3 * hour);
  }
}

TEST_F(RedisRetention, leaves_the_deadline_of_a_thread_that_has_no_time_to_lose) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  expiring.write(Draft("t", "1").value("a", "1", "x"), Call());
  retention_->expire("t", {}, Call());
  expect_about(lifetime("t"), hour);
}

TEST_F(RedisRetention, counts_the_entries_of_an_audit_that_was_trimmed) {
  retention_->pin("t", Call());
  const auto last = retention_->audit("", 1, Call()).items.front().id;
  client_.run({"XTRIM", redis::notes_keys("threadkeep").index, "MAXLEN", "0"});
  retention_->unpin("t", Call());
  const auto entries = retention_->audit("", 10, Call()).items;
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries.front().id, last + 1);
}

TEST_F(RedisRetention, lets_no_thread_expire_where_nothing_may_go_without_an_archive) {
  Store expiring(Registry::builtin().open(server_.url("ttl=1h")));
  const auto write = [&] { expiring.write(Draft("t", "2").value("a", "1", "x"), Call()); };
  write();
  retention_->require_archive(true, Call());
  write();
  EXPECT_EQ(lifetime("t"), -1);
  EXPECT_EQ(retention::open_retention(expiring)->expiry(Call()).without, 0U);
  retention_->require_archive(false, Call());
  write();
  expect_about(lifetime("t"), hour);
}

TEST_F(RedisRetention, leaves_a_thread_that_has_no_deadline_to_the_sweep) {
  put("t", 1);
  retention_->expire("t", Environment::system().now() + hour * 1000, Call());
  EXPECT_EQ(lifetime("t"), -1);
}

}  // namespace
}  // namespace threadkeep::redis_test
