// SPDX-License-Identifier: Apache-2.0
// Digests of ranges of rows, and rows that go into their table without a stage.
#include <gtest/gtest.h>

#include "migration/tier/line_digest.hpp"
#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using tables::Digest;
using tables::KeyRange;

class TablesDigestTest : public TablesTest {
 protected:
  Digest digest(tables::Database& database, const std::string& name, const KeyRange& range = {}) {
    const Target wanted = target_for(name);
    return database.snapshot(Call())->digest(wanted.table, {wanted.columns, {}}, range, Call());
  }
};

TEST_F(TablesDigestTest, AreTheSameFromTheServerAndFromLines) {
  in_both(
      "CREATE TABLE t (id integer PRIMARY KEY, b boolean, s text, j jsonb, x bytea, at timestamptz,"
      " n numeric, f float8, d date, u uuid, a text[], c char(5))");
  source.run(
      "INSERT INTO t (id) VALUES (1);"
      "INSERT INTO t VALUES (2, true, E'tab\\t line\\n back\\\\ \\\\N', '{\"a\": \"x\\ty\"}',"
      " '\\x00ff', '2026-01-02 03:04:05.678+02', 1.50, 0.1, '2026-01-02',"
      " '11111111-1111-1111-1111-111111111111', ARRAY['a', NULL, 'b;c']);"
      "INSERT INTO t (id, b, s) VALUES (3, false, ''), (4, NULL, ';'), (5, NULL, "
      "U&'\\00e9\\+01f600');"
      "INSERT INTO t (id, s) VALUES (6, repeat('x', 5000)), (7, repeat(U&'\\00e9', 99))");
  const Target wanted = target_for("t");
  const auto batches = read(wanted);
  ASSERT_EQ(batches.size(), 1U);
  const Digest of_lines = migration::digest_of_lines(batches[0].lines, wanted.columns);
  EXPECT_EQ(of_lines.rows, 7U);
  EXPECT_EQ(digest(*source_database, "t"), of_lines);
  copy("t");
  EXPECT_EQ(digest(*target_database, "t"), of_lines);
  target.run("UPDATE t SET s = NULL WHERE s = ''");
  EXPECT_NE(digest(*target_database, "t"), of_lines);
}

TEST_F(TablesDigestTest, TellColumnsApart) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, a text, b text)");
  source.run("INSERT INTO t VALUES (1, 'x1:', 'y')");
  target.run("INSERT INTO t VALUES (1, 'x', '1:y')");
  EXPECT_NE(digest(*source_database, "t"), digest(*target_database, "t"));
}

TEST_F(TablesDigestTest, SeeAllOfManyColumns) {
  std::string columns = "id integer PRIMARY KEY";
  for (int i = 0; i < 120; ++i) columns += ", c" + std::to_string(i) + " text";
  in_both("CREATE TABLE t (" + columns + ")");
  in_both("INSERT INTO t (id, c0, c119) VALUES (1, 'first', 'last')");
  EXPECT_EQ(digest(*source_database, "t"), digest(*target_database, "t"));
  target.run("UPDATE t SET c119 = 'other'");
  EXPECT_NE(digest(*source_database, "t"), digest(*target_database, "t"));
}

TEST_F(TablesDigestTest, RangesAreAllRowsOnce) {
  in_both("CREATE TABLE t (a text COLLATE \"C\", b integer, PRIMARY KEY (a, b))");
  source.run(
      "INSERT INTO t SELECT v, n FROM generate_series(1, 20) AS n, "
      "unnest(ARRAY['', E'tab\\there', E'line\\nend', E'back\\\\slash', '\\N']) AS v");
  const auto snapshot = source_database->snapshot(Call());
  const Target wanted = target_for("t");
  std::uint64_t rows = 0;
  KeyRange range;
  do {
    const auto last = snapshot->key_after(wanted.table, range.after, 7, Call());
    range.last = last.value_or(tables::KeyValues());
    const auto found = snapshot->digest(wanted.table, {wanted.columns, {}}, range, Call());
    EXPECT_EQ(found.rows, last ? 7U : 2U);
    rows += found.rows;
    if (last) {
      EXPECT_EQ(read(wanted, 1000, snapshot->cursor_after(*last)).front().rows, 100 - rows);
    }
    range.after = range.last;
  } while (!range.after.empty());
  EXPECT_EQ(rows, 100U);
}

TEST_F(TablesDigestTest, AComparisonOfARangeFindsWhatOnlyTheTargetHasThere) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text)");
  source.run("INSERT INTO t SELECT n, 'v' FROM generate_series(2, 20, 2) AS n");
  target.run("INSERT INTO t SELECT n, 'v' FROM generate_series(1, 20) AS n");
  const Target wanted = target_for("t");
  const auto comparison = writer().compare_range(wanted, {{"4"}, {"8"}}, Call());
  const auto rest = read(wanted, 2);
  comparison->add(rest[1], Call());  // 6 and 8
  const auto found = comparison->finish(Call());
  EXPECT_EQ(found.extra, 2U);
  EXPECT_EQ(found.total(), 2U);
  EXPECT_EQ(found.examples, (std::vector<std::string>{"extra (5)", "extra (7)"}));
}

TEST_F(TablesDigestTest, NewRowsNeedNoStageUntilOneIsThere) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text)");
  source.run("INSERT INTO t SELECT n, 'v' FROM generate_series(1, 40) AS n");
  const Target wanted = target_for("t");
  const auto batches = read(wanted, 10);
  const auto has_stage = [&] {
    return target.value("SELECT count(*) FROM pg_class WHERE relname = 'threadkeep_stage'");
  };
  TableProgress progress;
  progress.table = "t";
  const auto write_one = [&](std::size_t number) {
    writer().write(wanted, batches[number], run_id, progress, 0, {}, Call());
    return progress.counts;
  };
  EXPECT_EQ(write_one(0), (Counts{.inserted = 10}));
  EXPECT_EQ(has_stage(), "0");
  target.run("INSERT INTO t VALUES (15, 'other'), (16, 'v')");
  EXPECT_EQ(write_one(1), (Counts{.inserted = 18, .updated = 1, .unchanged = 1}));
  EXPECT_EQ(has_stage(), "1");
  EXPECT_EQ(write_one(2), (Counts{.inserted = 28, .updated = 1, .unchanged = 1}));
  EXPECT_EQ(write_one(3), (Counts{.inserted = 38, .updated = 1, .unchanged = 1}));
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesDigestTest, RowsThatATriggerHoldsBackAreNotCounted) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY)");
  source.run("INSERT INTO t SELECT n FROM generate_series(1, 10) AS n");
  target.run(
      "CREATE FUNCTION few() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN IF new.id > 7 THEN RETURN NULL; END IF; RETURN new; END';"
      "CREATE TRIGGER few BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION few()");
  EXPECT_EQ(copy("t").inserted, 7U);
}

}  // namespace
}  // namespace threadkeep::postgres_test
