// SPDX-License-Identifier: Apache-2.0
// What puts leave in the tables, where other programs read and write too.
#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace threadkeep::postgres_test {
namespace {

class Puts : public StoreFixture {};

Draft with_values(int count, const std::string& text = "x") {
  Draft draft("t", "1");
  for (int i = 0; i < count; ++i) draft.value("channel" + std::to_string(i), "1", text);
  return draft;
}

TEST_F(Puts, of_more_blobs_than_one_statement_takes_store_all_of_them) {
  const PutCheckpoint put = with_values(2'500);
  EXPECT_EQ(write(put), (Written{.changed = 2'501}));
  EXPECT_EQ(write(put), (Written{.changed = 1, .kept = 2'500}));
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_blobs"), "2500");
}

TEST_F(Puts, of_more_blobs_than_one_statement_takes_store_nothing_when_they_are_refused) {
  write(Draft("t", "0"));
  PutCheckpoint put = with_values(2'500);
  put.parent_checkpoint_id = "0";
  put.require_latest_parent = true;
  EXPECT_EQ(write(put).changed, 2'501U);
  EXPECT_EQ(write(put), (Written{.kept = 2'501}));
  write(Draft("t", "2"));
  PutCheckpoint other = with_values(2'500, "other");
  other.parent_checkpoint_id = "2";  // other content under the same id, and not the child of 2
  other.checkpoint_ns = "child";
  other.require_latest_parent = true;
  const auto outcome = apply(other);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::conflict);
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_blobs"), "2500");
  PutCheckpoint respelled = with_values(2'600, "other");
  respelled.parent_checkpoint_id = "0";
  respelled.require_latest_parent = true;
  EXPECT_TRUE(apply(respelled).error);
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_blobs"), "2500");
}

TEST_F(Puts, of_more_writes_than_one_statement_takes_store_all_of_them) {
  PutWrites put{"t", "", "1", {}};
  for (int i = 0; i < 2'500; ++i) put.writes.push_back(pending("task", i, "a", "x"));
  EXPECT_EQ(write(put), (Written{.changed = 2'500}));
  put.writes.push_back(pending("task", -1, "e", "y"));
  EXPECT_EQ(write(put), (Written{.changed = 1, .kept = 2'500}));
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_writes"), "2501");
}

TEST_F(Puts, count_repeated_writes_as_if_they_came_one_by_one) {
  const PutWrites put{"t",
                      "",
                      "1",
                      {pending("task", 0, "a", "first"), pending("task", -1, "e", "first"),
                       pending("task", 0, "a", "second"), pending("task", -1, "e", "second")}};
  EXPECT_EQ(write(put), (Written{.changed = 3, .kept = 1}));
  EXPECT_EQ(raw_.run("SELECT idx, convert_from(blob, 'UTF8') FROM checkpoint_writes ORDER BY 1"),
            (Strings{"-1|second", "0|first"}));
}

TEST_F(Puts, do_not_touch_a_thread_that_is_fresh) {
  write(Draft("t", "1"));
  // xmax: not even locked.
  const std::string row = "SELECT xmin, xmax, updated_at FROM threadkeep_threads";
  const auto before = raw_.value(row);
  write(Draft("t", "2").parent("1"));
  EXPECT_EQ(raw_.value(row), before);
  raw_.run("UPDATE threadkeep_threads SET updated_at = updated_at - interval '61 s'");
  write(Draft("t", "3").parent("2"));
  EXPECT_EQ(raw_.value("SELECT now() - updated_at < interval '10 s', created_at <= updated_at "
                       "FROM threadkeep_threads"),
            "t|t");
}

TEST_F(Puts, do_not_invent_when_a_thread_of_another_program_began) {
  for (const std::string thread : {"put", "put_thread", "copy"}) {
    raw_.run("INSERT INTO checkpoints VALUES ('" + thread + "', '', '1', NULL, NULL, '{}')");
  }
  write(Draft("put", "2").parent("1"));
  write(PutThread{"put_thread", R"({"n": 1})"});
  write(Draft("source", "1"));
  write(Draft("source", "2"));
  write(CopyThread{"source", "copy"});
  EXPECT_EQ(raw_.run("SELECT thread_id, created_at IS NULL FROM threadkeep_threads ORDER BY 1"),
            (Strings{"copy|t", "put|t", "put_thread|t", "source|f"}));
}

}  // namespace
}  // namespace threadkeep::postgres_test
