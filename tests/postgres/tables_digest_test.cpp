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
  Digest digest_of_values(tables::Database& database, const std::string& name) {
    const Target wanted = target_for(name);
    return database.snapshot(Call())->digest(wanted.table, {wanted.columns, {}, true}, {}, Call());
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
      "INSERT INTO t (id, s) VALUES (6, repeat('x', 5000)), (7, repeat(U&'\\00e9', 999))");
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

// The server's hash of a bigint, or of a time, knows only half of its bits.
TEST_F(TablesDigestTest, OfValuesTellAllOfThemApart) {
  in_both(
      "CREATE TABLE t (id bigint PRIMARY KEY, b boolean, s text, j jsonb, x bytea, at timestamptz,"
      " n numeric, f float8, d date, u uuid, a text[], k json, l bigint, p timestamp)");
  in_both(
      "INSERT INTO t (id) VALUES (1);"
      "INSERT INTO t VALUES (2, true, 'text', '{\"a\": 1}', '\\x00ff', '2026-01-02Z', 1.50, 0.1,"
      " '2026-01-02', '11111111-1111-1111-1111-111111111111', ARRAY['a', NULL], '{}', 0,"
      " '2026-01-02')");
  const auto before = digest_of_values(*source_database, "t");
  EXPECT_EQ(before.rows, 2U);
  EXPECT_EQ(digest_of_values(*target_database, "t"), before);
  for (const char* change :
       {"b = false", "s = 'tex'", "j = '{\"a\": 2}'", "x = '\\x00fe'", "at = '2026-01-03Z'",
        "n = 1.51", "f = 0.2", "d = '2026-01-03'", "u = '11111111-1111-1111-1111-111111111112'",
        "a = ARRAY['a']", "k = '[]'", "l = 4294967297", "l = NULL", "p = '2026-01-03'",
        "id = 4294967299"}) {
    target.run(std::string("UPDATE t SET ") + change + " WHERE id = 2");
    EXPECT_NE(digest_of_values(*target_database, "t"), before) << change;
    target.run("TRUNCATE t");
    copy("t");
    EXPECT_EQ(digest_of_values(*target_database, "t"), before) << change;
  }
  in_both("UPDATE t SET p = '2000-01-01'");
  target.run("UPDATE t SET p = p + 4294967297 * interval '1 us'");
  EXPECT_NE(digest_of_values(*source_database, "t"), digest_of_values(*target_database, "t"));
}

TEST_F(TablesDigestTest, AndChangesSinceAMomentAreSeen) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, s text) PARTITION BY RANGE (id)");
  in_both("CREATE TABLE t1 PARTITION OF t DEFAULT");
  source.run("INSERT INTO t SELECT n, 'a' FROM generate_series(1, 10) n");
  const Table table = describe(source_url, "t");
  const auto changed_by = [&](const char* change) {
    const auto snapshot = source_database->snapshot(Call());
    const auto rows = snapshot->count(table, Call());
    source.run(change);
    snapshot->renew(Call());
    return snapshot->may_have_changed(table, rows, Call());
  };
  EXPECT_FALSE(changed_by("SELECT 1"));
  EXPECT_TRUE(changed_by("UPDATE t SET s = 'a' WHERE id = 7"));
  EXPECT_TRUE(changed_by("DELETE FROM t WHERE id = 7"));
  EXPECT_TRUE(changed_by("INSERT INTO t VALUES (7, 'a')"));
  EXPECT_FALSE(changed_by("VACUUM FREEZE t"));
  EXPECT_TRUE(changed_by("UPDATE t SET s = 'b' WHERE id = 1"));
}

TEST_F(TablesDigestTest, OthersSeeTheMomentOfASnapshot) {
  source.run("CREATE TABLE t (id integer PRIMARY KEY)");
  const Table table = describe(source_url, "t");
  const auto first = source_database->snapshot(Call());
  source.run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(first->same_moment(Call())->count(table, Call()), 0U);
  EXPECT_EQ(source_database->snapshot(Call())->count(table, Call()), 1U);
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
