// SPDX-License-Identifier: Apache-2.0
// What Postgres decides is what retention::decide decides.
#include <algorithm>

#include "locks.hpp"
#include "retention_fixture.hpp"
#include "threadkeep/ids.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

constexpr std::int64_t now = 1'790'000'000'000'000;

constexpr char policies[] = R"([
  {"name": "vip", "metadata": {"tier": "vip"}, "idle": "off", "keep_last": 4},
  {"name": "mail", "threads": "mail-*", "idle": "12d", "expiry": "fixed", "keep_last": 2},
  {"name": "chat", "threads": "chat[*]*", "idle": "14d", "age": "8d", "keep_last": 3},
  {"name": "rest", "idle": "10d", "age": "5d"}])";

Rows expected_of(const std::vector<RandomThread>& threads) {
  const auto read = policies_from_json(policies);
  Rows rows;
  for (const RandomThread& thread : threads) {
    const Decision decision = decide(read, thread.facts, now);
    const std::string begin = thread.facts.thread_id + "|";
    const std::string end = "|" + decision.policy + "|";
    if (decision.thread) {
      rows.push_back(begin + "NULL|NULL" + end + std::string(to_string(*decision.thread)));
    }
    for (const Removal& removal : decision.removals) {
      rows.push_back(begin + removal.checkpoint_ns + "|" + removal.checkpoint_id + end +
                     std::string(to_string(removal.reason)));
    }
  }
  std::ranges::sort(rows);
  return rows;
}

class RetentionDecideSql : public RetentionFixture {
 protected:
  using RetentionFixture::RetentionFixture;

  Rows decided() {
    Rows rows = raw_.run(
        "SELECT d.* FROM threadkeep_retention_decide("
        "  ARRAY(SELECT DISTINCT thread_id FROM checkpoints), $1::jsonb,"
        "  timestamptz '1970-01-01 00:00:00+00' + $2::bigint * interval '1 microsecond') AS d",
        {to_json(policies_from_json(policies)), std::to_string(now)});
    std::ranges::sort(rows);
    return rows;
  }

  void compare(int threads, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<RandomThread> made;
    for (int i = 0; i < threads; ++i) {
      made.push_back(make_random_thread(random, i, now));
      store(made.back());
    }
    const Rows expected = expected_of(made);
    EXPECT_EQ(decided(), expected) << "seed " << seed;
    EXPECT_GT(expected.size(), static_cast<std::size_t>(threads));
  }
};

class RetentionDecideSqlIcu : public RetentionDecideSql {
 protected:
  RetentionDecideSqlIcu() : RetentionDecideSql(testing::icu_schemas()) {}
};

TEST_F(RetentionDecideSql, is_the_decision_of_the_pure_function) {
  compare(1000, 1);
}

TEST_F(RetentionDecideSqlIcu, is_the_same_where_the_database_has_another_order) {
  compare(200, 2);
}

TEST_F(RetentionDecideSql, takes_the_lock_that_writers_take) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    std::string id;
    for (auto length = random() % 40; length > 0; --length) {
      id += random() % 3 == 0 ? "\xe2\x82\xac"
                              : std::string(1, static_cast<char>(1 + random() % 127));
    }
    EXPECT_EQ(raw_.run("SELECT threadkeep_retention_lock_key($1)", {id}).front(),
              std::to_string(postgres::lock_key(schema_, id)))
        << id;
  }
}

TEST_F(RetentionDecideSql, knows_times_of_every_form_and_takes_nothing_else_for_one) {
  const auto time_of = [&](const std::string& ts, const std::string& id) {
    return raw_
        .run(
            "SELECT coalesce((extract(epoch FROM threadkeep_retention_time("
            "jsonb_build_object('ts', $1::text), $2)) * 1000000)::bigint::text, 'unknown')",
            {ts, id})
        .front();
  };
  const std::string noon = "1785585600000000";  // 2026-08-01
  EXPECT_EQ(time_of("2026-08-01T12:00:00.000000+00:00", ""), noon);
  EXPECT_EQ(time_of("2026-08-01T12:00:00Z", ""), noon);
  EXPECT_EQ(time_of("2026-08-01T14:00:00+02:00", ""), noon);
  EXPECT_EQ(time_of("2026-08-01T12:00:00", ""), noon);
  for (const char* text :
       {"", "now", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "infinity",
        "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1785585600"}) {
    EXPECT_EQ(time_of(text, "000001"), "unknown") << text;
  }
  const std::int64_t moment = 1'785'585'600'123'456;
  const std::string id = CheckpointIds({[&] { return moment; }}).next();
  EXPECT_EQ(time_of("", id), std::to_string(moment));
  EXPECT_EQ(time_of("2026-08-01T12:00:00Z", id), noon);
  EXPECT_EQ(time_of("", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "unknown");
  EXPECT_EQ(time_of("", "00000000-0000-6000-8000-000000000000"), "unknown");
}

}  // namespace
}  // namespace threadkeep::retention_test
