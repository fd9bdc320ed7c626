// SPDX-License-Identifier: Apache-2.0
// Either server is stopped, killed, emptied or slow.
#include "threadkeep/testing/postgres_server.hpp"
#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;

/// Servers of the test's own; a thread that is in both.
class TieredFailures : public ::testing::Test {
 protected:
  TieredFailures() { put("1"); }

  Opened open(TieredCheck check = TieredCheck::head) const {
    return open_tiered(postgres_.url(), redis_.url(), check);
  }
  void put(const std::string& id) {
    apply(*tiered_, PutCheckpoint(Draft("t", id).value("a", id, "value " + id)));
  }
  void drain() { tiered_->drain(Call()); }
  /// Until the hot store is tried again.
  bool comes_from_redis() {
    return comes_true([&] {
      const auto hits = tiered_.reads("hit");
      return read(*tiered_, "t") == read(*durable_, "t") && tiered_.reads("hit") > hits;
    });
  }
  void expect_right() {
    const auto next = std::to_string(std::stoi(id_of(*durable_, "t")) + 1);
    EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
    put(next);
    EXPECT_EQ(id_of(*tiered_, "t"), next);
    EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
  }

  PostgresServer postgres_{PostgresServer::Options{.durable = true, .settings = {}}};
  RedisServer redis_{RedisServer::Options{.durable = true}};
  std::unique_ptr<Backend> durable_ = Registry::builtin().open(postgres_.url());
  Opened tiered_ = open();
};

TEST_F(TieredFailures, of_Redis_are_not_noticed_by_callers) {
  const testing::Logged log;
  ASSERT_TRUE(comes_from_redis());
  redis_.kill();
  for (int i = 0; i < 5; ++i) expect_right();
  drain();
  EXPECT_TRUE(comes_true([&] {
    expect_right();
    return log.count("hot_store_failed") == 1;
  }));
  EXPECT_EQ(log.count("hot_store_back"), 0U);
  const Health health = tiered_->ping(Call());
  EXPECT_TRUE(health.ok);
  EXPECT_TRUE(health.degraded) << health.detail;
  EXPECT_EQ(tiered_->examine(Call()).back().level, Finding::Level::warning);
  // What it had on its disk is older than what Postgres has.
  redis_.start();
  EXPECT_TRUE(comes_from_redis());
  EXPECT_EQ(log.count("hot_store_back"), 1U);
  expect_right();
  EXPECT_FALSE(tiered_->ping(Call()).degraded);
}

TEST_F(TieredFailures, of_a_Redis_that_never_was_there_are_not_noticed_either) {
  auto without = open_tiered(postgres_.url(), "redis://127.0.0.1:1/0", TieredCheck::put);
  EXPECT_EQ(read(*without, "t"), read(*durable_, "t"));
  apply(*without, PutCheckpoint(Draft("t", "2").parent("1").carries("a", "1")));
  EXPECT_EQ(id_of(*without, "t"), "2");
}

TEST_F(TieredFailures, of_its_password_are_told_by_ping) {
  auto without =
      open_tiered(postgres_.url(), "redis://:wrong@127.0.0.1:" + std::to_string(redis_.port()));
  EXPECT_EQ(read(*without, "t"), read(*durable_, "t"));
  const Health health = without->ping(Call());
  EXPECT_TRUE(health.ok && health.degraded);
  EXPECT_EQ(health.detail.find("wrong"), std::string::npos) << health.detail;
}

TEST_F(TieredFailures, lose_nothing_when_Redis_is_emptied) {
  ASSERT_TRUE(comes_from_redis());
  redis_.run({"FLUSHALL"});
  expect_right();
  EXPECT_TRUE(comes_from_redis());
}

TEST_F(TieredFailures, do_no_harm_when_Redis_is_full) {
  redis_.run({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  redis_.run({"CONFIG", "SET", "maxmemory", "1"});
  for (int i = 0; i < 5; ++i) {
    expect_right();
    drain();
  }
  redis_.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(comes_from_redis());
}

// Each call of Redis would wait for a minute; three have been made before none is made any more.
TEST_F(TieredFailures, of_a_Redis_that_is_silent_cost_a_few_calls_some_time) {
  ASSERT_TRUE(comes_from_redis());
  const auto failures = tiered_.failures();
  redis_.run({"CLIENT", "PAUSE", "60000", "ALL"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read(*tiered_, "t"), read(*durable_, "t"));
  EXPECT_EQ(tiered_.failures(), failures + 3);
  const auto bypassed = tiered_.reads("bypassed");
  for (int i = 0; i < 100; ++i) read(*tiered_, "t");
  EXPECT_EQ(tiered_.reads("bypassed"), bypassed + 100);
  EXPECT_LE(tiered_.failures(), failures + 5) << "the breaker lets hardly any call through";
}

// Each of them would have given Redis all of its time.
TEST_F(TieredFailures, of_a_Redis_that_is_silent_leave_time_for_Postgres) {
  ASSERT_TRUE(comes_from_redis());
  auto patient = open_tiered(postgres_.url(), redis_.url(), TieredCheck::head, 5s);
  redis_.run({"CLIENT", "PAUSE", "60000", "ALL"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(patient->get(latest("t"), {Deadline::after(4s), {}}));
  }
  EXPECT_EQ(patient.failures(), 3U);
  const auto bypassed = patient.reads("bypassed");
  read(*patient, "t");
  EXPECT_EQ(patient.reads("bypassed"), bypassed + 1) << "it is not called for a while";
}

TEST_F(TieredFailures, of_Postgres_are_told_though_Redis_has_the_thread) {
  ASSERT_TRUE(comes_from_redis());
  const auto before = read(*tiered_, "t");
  postgres_.kill();
  const Call call{Deadline::after(std::chrono::seconds(5)), {}};
  EXPECT_EQ(must_fail([&] { tiered_->get(latest("t"), call); }).code(), Code::unavailable);
  EXPECT_NE(must_fail([&] { apply(*tiered_, DeleteThread{"t"}, call); }).code(), Code::conflict);
  EXPECT_FALSE(tiered_->ping(call).ok);
  postgres_.start();
  EXPECT_TRUE(comes_true([&] { return durable_->ping(Call()).ok; }));
  EXPECT_EQ(read(*tiered_, "t"), before);
  EXPECT_TRUE(comes_from_redis());
  expect_right();
}

TEST_F(TieredFailures, of_a_Postgres_that_was_set_back_are_seen) {
  ASSERT_TRUE(comes_from_redis());
  postgres_.stop(PostgresServer::Stop::fast);
  postgres_.start();
  const auto stale = tiered_.reads("stale");
  EXPECT_TRUE(comes_true([&] { return durable_->ping(Call()).ok; }));
  EXPECT_TRUE(comes_from_redis());
  EXPECT_GT(tiered_.reads("stale"), stale) << "transactions may be numbered anew";
}

// An entry of before an outage of Redis is older than what was acknowledged in it.
TEST_F(TieredFailures, of_Redis_fork_no_thread_where_puts_are_checked) {
  auto tiered = open(TieredCheck::put);
  tiered_->drain(Call());
  ASSERT_EQ(id_of(*tiered, "t"), "1");
  redis_.kill();
  apply(*tiered_, PutCheckpoint(Draft("t", "2").parent("1").carries("a", "1")));
  drain();
  redis_.start();
  auto fresh = open(TieredCheck::put);
  apply(*fresh, PutCheckpoint(Draft("other", "1").value("a", "1", "one")));
  fresh->drain(Call());  // its first look at Postgres
  ASSERT_EQ(id_of(*fresh, "t"), "1") << "Redis has kept it";
  const auto error = must_fail(
      [&] { apply(*fresh, PutCheckpoint(Draft("t", "3").parent("1").carries("a", "1"))); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(id_of(*fresh, "t"), "2");
}

TEST_F(TieredFailures, fork_no_thread_when_Redis_is_emptied_where_puts_are_checked) {
  auto tiered = open(TieredCheck::put);
  tiered->drain(Call());
  ASSERT_EQ(id_of(*tiered, "t"), "1");
  redis_.run({"FLUSHALL"});
  apply(*durable_, PutCheckpoint(Draft("t", "2").parent("1").carries("a", "1")));
  const auto error = must_fail(
      [&] { apply(*tiered, PutCheckpoint(Draft("t", "3").parent("1").carries("a", "1"))); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_EQ(id_of(*tiered, "t"), "2");
  apply(*tiered, PutCheckpoint(Draft("t", "3").parent("2").carries("a", "1")));
  EXPECT_EQ(id_of(*tiered, "t"), "3");
}

}  // namespace
}  // namespace threadkeep::tiered_test
