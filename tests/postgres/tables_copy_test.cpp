// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using TablesCopyTest = TablesTest;

constexpr char notes[] =
    "CREATE TABLE notes (id integer PRIMARY KEY, body text, changed timestamptz)";

TEST_F(TablesCopyTest, RowsArriveAndASecondTimeAreUnchanged) {
  in_both(notes);
  source.run(
      "INSERT INTO notes SELECT n, 'note ' || n, '2024-01-02 03:04:05.678901+02' "
      "FROM generate_series(1, 2500) AS n");
  EXPECT_EQ(copy("notes"), (Counts{.inserted = 2500}));
  const std::string all = "SELECT * FROM notes ORDER BY id";
  EXPECT_EQ(target.run(all), source.run(all));
  EXPECT_EQ(copy("notes"), (Counts{.unchanged = 2500}));
  EXPECT_EQ(compare("notes").total(), 0U);
}

TEST_F(TablesCopyTest, OnlyRowsThatDifferAreUpdated) {
  in_both(notes);
  in_both("INSERT INTO notes SELECT n, 'note', NULL FROM generate_series(1, 10) AS n");
  source.run("UPDATE notes SET body = NULL WHERE id = 3");
  source.run("INSERT INTO notes VALUES (11, 'new')");
  const auto places = "SELECT id, ctid, xmin FROM notes WHERE id NOT IN (3, 11) ORDER BY id";
  const Rows before = target.run(places);
  EXPECT_EQ(copy("notes"), (Counts{.inserted = 1, .updated = 1, .unchanged = 9}));
  EXPECT_EQ(target.run(places), before);
  EXPECT_EQ(target.value("SELECT body FROM notes WHERE id = 3"), "NULL");
}

TEST_F(TablesCopyTest, EqualRowsAreNotLocked) {
  in_both(notes);
  in_both("INSERT INTO notes VALUES (1, 'note', NULL)");
  RawDatabase holder(target_url);
  holder.run("BEGIN; SELECT * FROM notes FOR UPDATE");
  EXPECT_EQ(copy("notes"), (Counts{.unchanged = 1}));
}

TEST_F(TablesCopyTest, BatchesEndAtRowsAndBytesAndAreGoneOnWith) {
  in_both("CREATE TABLE pairs (a text COLLATE \"C\", b integer, value text, PRIMARY KEY (a, b))");
  source.run(
      "INSERT INTO pairs SELECT v, n, repeat('x', 100) FROM generate_series(1, 50) AS n, "
      "unnest(ARRAY['', E'tab\\there', E'line\\nend', E'back\\\\slash', '\\N', '\\.']) AS v");
  const Target wanted = target_for("pairs");
  const auto batches = read(wanted, 7);
  ASSERT_EQ(batches.size(), 43U);
  EXPECT_EQ(batches.front().rows, 7U);
  EXPECT_EQ(batches.back().rows, 6U);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto rest = read(wanted, 7, batches[i].end);
    ASSERT_EQ(rest.size(), batches.size() - i - 1);
    if (rest.empty()) continue;
    EXPECT_EQ(rest.front().lines, batches[i + 1].lines);
  }
  EXPECT_EQ(write(wanted, batches).inserted, 300U);
  EXPECT_EQ(compare("pairs").total(), 0U);
}

TEST_F(TablesCopyTest, ProgressIsWrittenWithTheRows) {
  in_both(notes);
  source.run("INSERT INTO notes SELECT n FROM generate_series(1, 20) AS n");
  const Target wanted = target_for("notes");
  const auto batches = read(wanted, 15);
  write(wanted, {batches[0]});
  const auto run = writer().unfinished_run(Call());
  ASSERT_TRUE(run);
  EXPECT_EQ(run->id, run_id);
  ASSERT_EQ(run->tables.size(), 1U);
  EXPECT_EQ(run->tables[0].cursor, batches[0].end);
  EXPECT_EQ(run->tables[0].counts, (Counts{.inserted = 15}));
  EXPECT_FALSE(run->tables[0].done);
  EXPECT_EQ(read(wanted, 15, run->tables[0].cursor).front().lines, batches[1].lines);
  auto progress = run->tables[0];
  writer().mark_done(run_id, progress, Call());
  EXPECT_TRUE(writer().unfinished_run(Call())->tables[0].done);
  writer().finish_run(run_id, Call());
  EXPECT_FALSE(writer().unfinished_run(Call()));
}

TEST_F(TablesCopyTest, NothingIsCreatedBeforeARunBegins) {
  const auto database = tables::open_database(target_url, Call());
  EXPECT_FALSE(database->writer(Call())->unfinished_run(Call()));
  EXPECT_EQ(target.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'threadkeep%'"), "0");
}

}  // namespace
}  // namespace threadkeep::postgres_test
