// SPDX-License-Identifier: Apache-2.0
// A primary, its standby, and what becomes of a store when the standby takes over.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <set>
#include <thread>

#include "chaos_store.hpp"
#include "threadkeep/checkpointer.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/session_store.hpp"
#include "threadkeep/testing/access.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::AccessKind;
using testing::PostgresServer;

bool is_outage(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::outcome_unknown;
}

// One who writes checkpoints and messages, and what of them was acknowledged.
class Writer {
 public:
  Writer(AccessKind kind, const std::string& url, std::string thread)
      : access_(testing::make_access(kind, open(url))), thread_(std::move(thread)) {}

  void write_until(const std::atomic<bool>& stop) {
    for (int i = 1; !stop; ++i) {
      const auto id = padded(i);
      const auto draft = Draft(thread_, id).value("a", id, std::string(200, 'x'));
      if (until_done(stop, PutCheckpoint(draft))) put_.insert(id);
      AppendMessages append;
      append.thread_id = thread_;
      append.operation_id = id;
      append.messages = {{id, "user", "1", "{}"}};
      if (until_done(stop, append)) appended_.insert(id);
      ++rounds_;
    }
  }
  int rounds() const { return rounds_; }
  int failures() const { return failures_; }

  void expect_all_in(const std::string& url) const {
    const auto store = open(url);
    Checkpointer checkpoints(store);
    SessionStore messages(store);
    for (const auto& id : put_) {
      const auto tuple = checkpoints.get({thread_, "", id, {}});
      ASSERT_TRUE(tuple) << thread_ << " " << id;
      EXPECT_EQ(tuple->values.size(), 1U);
    }
    for (const auto& id : appended_) {
      EXPECT_TRUE(messages.message({thread_, id})) << thread_ << " " << id;
    }
  }

 private:
  bool until_done(const std::atomic<bool>& stop, const Mutation& mutation) {
    while (!stop) {
      const auto error = error_of([&] { access_->write(mutation, within(10s)); });
      if (!error) return true;
      EXPECT_TRUE(is_outage(error->code())) << error->what();
      ++failures_;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  const std::unique_ptr<testing::Access> access_;
  const std::string thread_;
  std::atomic<int> rounds_ = 0;
  std::atomic<int> failures_ = 0;
  std::set<std::string> put_;
  std::set<std::string> appended_;
};

// A primary whose commits wait for its standby.
class Standby : public ::testing::Test {
 protected:
  Standby() {
    primary_.set("synchronous_standby_names", "'*'");
    open(url())->setup(Call());
  }

  std::string url(const std::string& parameters = {}) const {
    return "postgresql://threadkeep@127.0.0.1:" + std::to_string(primary_.port()) +
           ",127.0.0.1:" + std::to_string(standby_.port()) +
           "/store?target_session_attrs=read-write&connect_timeout=2" + parameters;
  }

  PostgresServer primary_{{.durable = true}};
  PostgresServer standby_{{.durable = true, .standby_of = &primary_}};
};

class Failover : public Standby, public ::testing::WithParamInterface<AccessKind> {
 protected:
  // The standby takes over while four write; all that they were told is there.
  void expect_nothing_lost(const std::function<void()>& end_of_the_primary) {
    std::deque<Writer> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back(GetParam(), url("&pool_size=2"), "w" + std::to_string(i));
    }
    std::atomic<bool> stop = false;
    std::vector<std::jthread> threads;
    threads.reserve(writers.size());
    for (auto& writer : writers) threads.emplace_back([&] { writer.write_until(stop); });
    expect_progress(writers);
    end_of_the_primary();
    standby_.promote();
    expect_progress(writers);
    stop = true;
    threads.clear();
    for (const auto& writer : writers) {
      EXPECT_GT(writer.failures(), 0);
      writer.expect_all_in(standby_.url());
    }
  }

  static void expect_progress(const std::deque<Writer>& writers) {
    for (const auto& writer : writers) {
      const int goal = writer.rounds() + 20;
      EXPECT_TRUE(comes_true([&] { return writer.rounds() >= goal; })) << "a writer hangs";
    }
  }
};

TEST_P(Failover, of_a_killed_primary_keeps_what_was_acknowledged) {
  expect_nothing_lost([&] { primary_.kill(); });
}

TEST_P(Failover, of_a_primary_that_is_shut_down_keeps_what_was_acknowledged) {
  expect_nothing_lost([&] { primary_.stop(PostgresServer::Stop::fast); });
}

INSTANTIATE_TEST_SUITE_P(, Failover, ::testing::Values(AccessKind::sync, AccessKind::async),
                         [](const auto& test) { return testing::to_string(test.param); });

TEST_F(Standby, is_passed_over_for_the_primary_whichever_comes_first_in_the_url) {
  const auto reversed = "postgresql://threadkeep@127.0.0.1:" + std::to_string(standby_.port()) +
                        ",127.0.0.1:" + std::to_string(primary_.port()) + "/store";
  Checkpointer any(open(reversed));
  EXPECT_TRUE(comes_true([&] {
    return !error_of([&] { any.get({"t", "", {}, {}}); });
  })) << "the standby has the tables";
  const auto refused = must_fail([&] { any.put(Draft("t", "1")); });
  EXPECT_EQ(refused.code(), Code::denied);
  EXPECT_NE(refused.message().find("target_session_attrs=read-write"), std::string::npos)
      << refused.what();
  Checkpointer store(open(reversed + "?target_session_attrs=read-write"));
  store.put(Draft("t", "1"));
  EXPECT_TRUE(comes_true([&] { return any.get({"t", "", {}, {}}).has_value(); }));
}

// Where somebody ends the wait, the server reports a success, and a warning.
TEST_F(Standby, is_not_promised_to_a_commit_that_no_standby_has) {
  Checkpointer store(open(url()));
  store.put(Draft("t", "1"));
  standby_.kill();
  const auto late = must_fail([&] { store.put(Draft("t", "2"), within(500ms)); });
  EXPECT_EQ(late.code(), Code::outcome_unknown) << late.what();
  auto waiting = std::async(std::launch::async, [&] {
    return must_fail([&] { store.put(Draft("t", "3"), within(60s)); });
  });
  EXPECT_TRUE(comes_true([&] {
    primary_.run(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    return waiting.wait_for(50ms) == std::future_status::ready;
  }));
  const auto cut = waiting.get();
  EXPECT_EQ(cut.code(), Code::outcome_unknown) << cut.what();
  EXPECT_NE(cut.message().find("standby"), std::string::npos) << cut.what();
  EXPECT_TRUE(store.get({"t", "", "3", {}})) << "it is committed on the primary";
  const auto again = must_fail([&] { store.put(Draft("t", "3"), within(500ms)); });
  EXPECT_EQ(again.code(), Code::outcome_unknown) << again.what();
  standby_.start();
  store.put(Draft("t", "3"), within(60s));
}

// What the standby did not receive is gone, though it was acknowledged and read; what it received
// is whole, and goes on.
TEST_F(Standby, that_is_asynchronous_loses_the_last_commits_and_nothing_before_them) {
  primary_.set("synchronous_standby_names", "''");
  Checkpointer store(open(url()));
  const auto put = [&](int number) {
    store.put(Draft("t", padded(number)).value("a", padded(number), padded(number)));
  };
  for (int i = 1; i <= 20; ++i) put(i);
  Checkpointer copy(open(standby_.url()));
  EXPECT_TRUE(comes_true([&] { return copy.get({"t", "", padded(20), {}}).has_value(); }));
  standby_.kill();
  for (int i = 21; i <= 40; ++i) put(i);
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, padded(40));
  primary_.kill();
  standby_.start();
  standby_.promote();
  std::optional<CheckpointTuple> latest;
  EXPECT_TRUE(comes_true([&] {
    return !error_of([&] { latest = store.get({"t", "", {}, {}}); });
  }));
  EXPECT_EQ(latest->checkpoint_id, padded(20));
  CheckpointList all;
  all.thread_id = "t";
  const auto left = store.list(all).items;
  EXPECT_EQ(left.size(), 20U);
  for (const auto& tuple : left) EXPECT_EQ(tuple.values.size(), 1U) << tuple.checkpoint_id;
  put(21);
}

}  // namespace
}  // namespace threadkeep::postgres_test
