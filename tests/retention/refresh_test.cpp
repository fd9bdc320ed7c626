// SPDX-License-Identifier: Apache-2.0
// Readers that make a thread of a Postgres store active again.
#include "retention_fixture.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::retention_test {
namespace {

using testing::Draft;

class RetentionRefresh : public RetentionFixture {
 protected:
  void put(const std::string& id, double days) {
    store_.write(Draft(id, "1"), Call());
    raw_.run(
        "UPDATE threadkeep_threads SET updated_at = now() - $2::float * interval '1 day' "
        "WHERE thread_id = $1",
        {id, std::to_string(days)});
  }
  std::uint64_t refresh(const std::vector<std::string>& ids) {
    return retention_.refresh(ids, Call());
  }
  Rows renewed() {
    return raw_.run(
        "SELECT thread_id FROM threadkeep_threads WHERE updated_at > now() - interval '1 minute' "
        "ORDER BY thread_id");
  }
};

TEST_F(RetentionRefresh, renews_a_thread_when_less_than_half_of_its_time_remains) {
  apply(R"([{"name": "week"}])");
  put("due", 8);
  put("half", 3.51);
  put("young", 3.49);
  EXPECT_EQ(refresh({"due", "half", "young", "absent"}), 2U);
  EXPECT_EQ(renewed(), (Rows{"due", "half"}));
  EXPECT_EQ(refresh({"due", "half", "young"}), 0U);
  EXPECT_EQ(refresh({}), 0U);
}

TEST_F(RetentionRefresh, goes_by_the_policy_that_decides_about_the_thread) {
  apply(R"([{"name": "a", "threads": "fixed", "idle": "7d", "expiry": "fixed"},
            {"name": "b", "threads": "long", "idle": "30d"},
            {"name": "c", "threads": "thinned", "age": "1d", "keep_last": 1},
            {"name": "d", "threads": "short*", "idle": "2d"}])");
  for (const char* id : {"fixed", "long", "none", "short", "short held", "short own", "thinned"}) {
    put(id, 10);
  }
  retention_.hold("short held", "case", Call());
  retention_.expire("short own", 1, Call());
  EXPECT_EQ(refresh({"fixed", "long", "none", "short", "short held", "short own", "thinned"}), 1U);
  EXPECT_EQ(renewed(), Rows{"short"});
}

TEST_F(RetentionRefresh, gives_a_thread_of_langgraphs_saver_a_time) {
  apply(R"([{"name": "week"}])");
  adopt("old", "1", "", 5);
  adopt("young", "1", "", 1);
  EXPECT_EQ(refresh({"old", "young"}), 1U);
  EXPECT_EQ(renewed(), Rows{"old"});
  EXPECT_EQ(raw_.value("SELECT created_at IS NULL FROM threadkeep_threads"), "t");
  EXPECT_EQ(as_sweeper("SELECT count(*) FROM {}.threadkeep_retention_preview()"), "0\n");
}

TEST_F(RetentionRefresh, writes_and_locks_nothing_while_more_remains) {
  apply(R"([{"name": "week"}])");
  put("young", 1);
  raw_.run("BEGIN READ ONLY");
  EXPECT_EQ(raw_.value("SELECT threadkeep_retention_refresh('{young}')"), "0");
  EXPECT_EQ(raw_.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                       "AND pid = pg_backend_pid()"),
            "0");
  raw_.run("COMMIT");
}

TEST_F(RetentionRefresh, passes_over_a_thread_that_a_sweep_is_at) {
  apply(R"([{"name": "week"}])");
  put("old", 6);
  RawDatabase sweep(url_);
  sweep.run("BEGIN");
  sweep.run("SELECT pg_advisory_xact_lock(threadkeep_retention_lock_key('old'))");
  EXPECT_EQ(refresh({"old"}), 0U);
  sweep.run("COMMIT");
  EXPECT_EQ(refresh({"old"}), 1U);
}

TEST_F(RetentionRefresh, is_for_a_role_that_may_read_no_table_too) {
  apply(R"([{"name": "week"}])");
  put("old", 6);
  EXPECT_EQ(as_sweeper("SELECT {}.threadkeep_retention_refresh('{old}')"), "1\n");
}

}  // namespace
}  // namespace threadkeep::retention_test
