// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using Strings = std::vector<std::string>;

class TablesModesTest : public TablesTest {
 protected:
  static Target without_column(Target wanted, const std::string& column) {
    std::erase_if(wanted.columns, [&](const auto& each) { return each.name == column; });
    std::erase(wanted.update, column);
    return wanted;
  }
  static Target only_links(Target wanted, const Strings& links) {
    std::erase_if(wanted.columns, [&](const auto& each) {
      return wanted.table.find(each.name) && !std::count(links.begin(), links.end(), each.name) &&
             !std::count(wanted.table.key.begin(), wanted.table.key.end(), each.name);
    });
    wanted.update = links;
    wanted.mode = Target::Mode::update_only;
    return wanted;
  }
};

TEST_F(TablesModesTest, ARowThatIsNewerInTheTargetIsKept) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at timestamptz)");
  target.run(
      "INSERT INTO t VALUES (1, 'newer', '2024-02-01'), (2, 'older', '2024-01-01'), "
      "(3, 'same time', '2024-01-15'), (4, 'no time', NULL), (5, 'equal', '2024-01-15'), "
      "(6, 'changed', '2024-01-01'), (7, 'neither has a time', NULL)");
  source.run(
      "INSERT INTO t SELECT n, 'source', '2024-01-15' FROM generate_series(1, 4) AS n;"
      "INSERT INTO t VALUES (5, 'equal', '2024-01-15'), (6, 'never changed', NULL), "
      "(7, 'source', NULL)");
  Target wanted = target_for("t");
  wanted.guard = "updated_at";
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.updated = 4, .unchanged = 1, .kept = 2}));
  EXPECT_EQ(target.run("SELECT v FROM t ORDER BY id"),
            (Rows{"newer", "source", "source", "source", "equal", "changed", "source"}));
}

TEST_F(TablesModesTest, ASecondGuardCountsWhereTheFirstIsEqual) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at text, version integer)");
  target.run(
      "INSERT INTO t VALUES (1, 'target', '2024-01-15T10:00:00Z', 3), "
      "(2, 'target', '2024-01-15T10:00:00Z', 1), (3, 'target', '2024-01-15T11:00:00Z', 1), "
      "(4, 'target', '2024-01-15T09:00:00Z', 3)");
  source.run(
      "INSERT INTO t SELECT n, 'source', '2024-01-15 10:00:00', 2 FROM generate_series(1, 4) n");
  Target wanted = target_for("t");
  wanted.guard = "updated_at";
  wanted.second_guard = "version";
  target.run("UPDATE t SET updated_at = '2024-01-15 10:00:00' WHERE id = 1");
  source.run("UPDATE t SET updated_at = '2024-01-15T10:00:00Z' WHERE id = 2");
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.updated = 2, .kept = 2}));
  EXPECT_EQ(target.run("SELECT v FROM t ORDER BY id"),
            (Rows{"target", "source", "target", "source"}));
}

// Row 1 is as pass 1 left it, and a trigger has changed its time since; 2 and 3 are the target's.
TEST_F(TablesModesTest, LinksOfNewerRowsStay) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text, boss integer, updated_at timestamptz)");
  source.run("INSERT INTO t SELECT n, 'source', 1, '2024-01-15' FROM generate_series(1, 4) AS n");
  target.run(
      "INSERT INTO t VALUES (1, 'source', NULL, '2024-02-01'), (2, 'target', NULL, '2024-02-01'), "
      "(3, 'source', 2, '2024-02-01'), (4, 'source', NULL, '2024-01-15')");
  Target wanted = target_for("t");
  wanted.mode = Target::Mode::update_only;
  wanted.update = {"boss"};
  wanted.guard = "updated_at";
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.updated = 2, .kept = 2}));
  EXPECT_EQ(target.run("SELECT id, v, boss FROM t ORDER BY id"),
            (Rows{"1|source|1", "2|target|NULL", "3|source|2", "4|source|1"}));
}

TEST_F(TablesModesTest, ColumnsThatAreNotTakenOverKeepTheTargetsValues) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text, embedding text DEFAULT 'none')");
  target.run("INSERT INTO t VALUES (1, 'old', 'computed')");
  source.run("INSERT INTO t VALUES (1, 'new', NULL), (2, 'new', NULL)");
  const Target wanted = without_column(target_for("t"), "embedding");
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.inserted = 1, .updated = 1}));
  EXPECT_EQ(target.run("SELECT * FROM t ORDER BY id"), (Rows{"1|new|computed", "2|new|none"}));
}

TEST_F(TablesModesTest, LinksOfACycleAreSetByALaterPass) {
  in_both(
      "CREATE TABLE a (id integer PRIMARY KEY, b integer DEFAULT 7, v text);"
      "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a);"
      "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b");
  source.run(
      "INSERT INTO a SELECT n, NULL, 'v' FROM generate_series(1, 9) AS n;"
      "INSERT INTO b SELECT n, n FROM generate_series(1, 9) AS n; UPDATE a SET b = 10 - id");
  Target first = without_column(target_for("a"), "b");
  first.nulls = {"b"};
  EXPECT_EQ(write(first, read(first)), (Counts{.inserted = 9}));
  EXPECT_EQ(target.value("SELECT count(b) FROM a"), "0");
  copy("b");
  target.run("DELETE FROM a WHERE id = 9 AND false; UPDATE a SET v = 'mine' WHERE id = 1");
  const Target second = only_links(target_for("a"), {"b"});
  EXPECT_EQ(write(second, read(second)), (Counts{.updated = 9}));
  EXPECT_EQ(target.value("SELECT count(*) FROM a WHERE b = 10 - id"), "9");
  EXPECT_EQ(target.value("SELECT v FROM a WHERE id = 1"), "mine");
  EXPECT_EQ(write(second, read(second)), (Counts{.unchanged = 9}));
}

TEST_F(TablesModesTest, ALaterPassAddsNoRows) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, v text)");
  source.run("INSERT INTO t VALUES (1, 'x'), (2, 'x')");
  target.run("INSERT INTO t VALUES (2, NULL)");
  const Target wanted = only_links(target_for("t"), {"v"});
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.updated = 1}));
  EXPECT_EQ(target.run("SELECT * FROM t"), Rows{"2|x"});
}

TEST_F(TablesModesTest, AGroupIsOneTransactionWithConstraintsAtItsEnd) {
  in_both(
      "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL);"
      "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a DEFERRABLE);"
      "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE");
  source.run(
      "BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO a SELECT n, n FROM generate_series(1, 50) "
      "AS n;"
      "INSERT INTO b SELECT n, n FROM generate_series(1, 50) AS n; COMMIT");
  const Target a = target_for("a");
  const Target b = target_for("b");
  const auto rows_of_a = read(a, 7);
  const auto rows_of_b = read(b, 7);
  auto& out = writer();
  out.begin_group(Call());
  write(a, rows_of_a);
  EXPECT_EQ(target.value("SELECT count(*) FROM a"), "0");
  write(b, rows_of_b);
  TableProgress progress;
  progress.table = "b";
  out.mark_done(run_id, progress, Call());
  out.end_group(Call());
  EXPECT_EQ(target.value("SELECT count(*) FROM a JOIN b ON a.b = b.id AND b.a = a.id"), "50");
  EXPECT_EQ(out.unfinished_run(Call())->tables.size(), 2U);
}

TEST_F(TablesModesTest, AGroupThatBreaksAConstraintLeavesNothing) {
  in_both("CREATE TABLE a (id integer PRIMARY KEY, b integer REFERENCES a DEFERRABLE)");
  source.run("INSERT INTO a SELECT n, n FROM generate_series(1, 20) AS n");
  const Target wanted = target_for("a");
  const auto rows = read(wanted, 10);
  auto& out = writer();
  out.begin_group(Call());
  write(wanted, rows);
  TableProgress progress;
  progress.table = "a";
  const Batch orphan{.lines = "99\t100\n", .rows = 1, .end = "=99"};
  out.write(wanted, orphan, run_id, progress, 0, {}, Call());
  const Error error = error_of([&] { out.end_group(Call()); });
  EXPECT_EQ(error.native(), "23503");
  EXPECT_EQ(target.value("SELECT count(*) FROM a"), "0");
  EXPECT_TRUE(out.unfinished_run(Call())->tables.empty());
  EXPECT_EQ(write(wanted, rows).inserted, 20U);
}

TEST_F(TablesModesTest, AWholeTableThatRefersToItself) {
  in_both("CREATE TABLE tree (id integer PRIMARY KEY, up integer NOT NULL REFERENCES tree)");
  source.run("INSERT INTO tree SELECT n, least(n + 1, 500) FROM generate_series(1, 500) AS n");
  const Target wanted = target_for("tree");
  writer().begin_group(Call());
  EXPECT_EQ(write(wanted, read(wanted)), (Counts{.inserted = 500}));
  writer().end_group(Call());
  EXPECT_EQ(compare("tree").total(), 0U);
}

TEST_F(TablesModesTest, RowsOfChildTablesAreNotReadOrFoundTwice) {
  in_both(
      "CREATE TABLE people (id integer PRIMARY KEY, name text);"
      "CREATE TABLE staff (id integer PRIMARY KEY, pay integer) INHERITS (people)");
  source.run(
      "INSERT INTO people VALUES (1, 'a'); INSERT INTO staff VALUES (1, 'b', 10), (2, 'c', 20)");
  const auto snapshot = source_database->snapshot(Call());
  EXPECT_EQ(snapshot->count(describe(source_url, "people"), Call()), 1U);
  EXPECT_EQ(copy("staff"), (Counts{.inserted = 2}));
  EXPECT_EQ(copy("people"), (Counts{.inserted = 1}));
  EXPECT_EQ(copy("people"), (Counts{.unchanged = 1}));
  EXPECT_EQ(compare("people").total(), 0U);
  EXPECT_EQ(target.run("SELECT tableoid::regclass, id FROM people ORDER BY name"),
            (Rows{"people|1", "staff|1", "staff|2"}));
}

TEST_F(TablesModesTest, APartitionedTableIsCopiedAsAWhole) {
  source.run(
      "CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);"
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (50);"
      "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (50) TO (1000)");
  target.run(
      "CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY HASH (id);"
      "CREATE TABLE h0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
      "CREATE TABLE h1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
  source.run("INSERT INTO t SELECT n, 'v' FROM generate_series(1, 99) AS n");
  EXPECT_EQ(source_database->snapshot(Call())->count(describe(source_url, "t"), Call()), 99U);
  EXPECT_EQ(copy("t"), (Counts{.inserted = 99}));
  source.run("UPDATE t SET v = 'w' WHERE id = 50");
  EXPECT_EQ(copy("t"), (Counts{.updated = 1, .unchanged = 98}));
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesModesTest, RowsWhoseTimeHasPassedAreCountedAndLeftOut) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, a timestamptz, b timestamp, c date, d text)");
  source.run(
      "INSERT INTO t VALUES (1, now() - interval '1 day', now() AT TIME ZONE 'UTC' - interval '1 "
      "hour', "
      "current_date - 1), (2, now() + interval '1 day', now() AT TIME ZONE 'UTC' + interval '1 "
      "hour', "
      "current_date + 2), (3, NULL, NULL, NULL), (4, 'infinity', 'infinity', 'infinity')");
  const Table table = describe(source_url, "t");
  const auto snapshot = source_database->snapshot(Call());
  for (const char* column : {"a", "b", "c"}) {
    EXPECT_EQ(snapshot->count_expired(table, column, Call()), 1U) << column;
    tables::Snapshot::Selection selection{.columns = {"id"}, .from = {}, .without_expired = column};
    const auto reader = snapshot->read(table, selection, Call());
    EXPECT_EQ(reader->next(10, 1000, Call())->lines, "2\n3\n4\n") << column;
    EXPECT_FALSE(reader->next(10, 1000, Call()));
  }
  EXPECT_EQ(error_of([&] { snapshot->count_expired(table, "d", Call()); }).code(),
            Code::invalid_argument);
}

TEST_F(TablesModesTest, ASnapshotDoesNotSeeWhatComesLater) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY)");
  source.run("INSERT INTO t VALUES (1)");
  const Table table = describe(source_url, "t");
  const auto snapshot = source_database->snapshot(Call());
  source.run("INSERT INTO t VALUES (2)");
  EXPECT_EQ(snapshot->count(table, Call()), 1U);
  const auto reader =
      snapshot->read(table, {.columns = {"id"}, .from = {}, .without_expired = {}}, Call());
  EXPECT_EQ(reader->next(10, 1000, Call())->rows, 1U);
}

TEST_F(TablesModesTest, RowsThatRowSecurityHidesAreAnErrorAndNoGap) {
  in_both(
      "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2);"
      "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;"
      "CREATE POLICY p ON t USING (id = 1)");
  const Table table = describe(source_url, "t");
  const auto snapshot = source_database->snapshot(Call());
  EXPECT_EQ(error_of([&] { snapshot->count(table, Call()); }).code(), Code::denied);
  const Target wanted = target_for("t");
  const Batch batch{.lines = "1\n", .rows = 1, .end = "=1"};
  EXPECT_EQ(error_of([&] { write(wanted, {batch}); }).code(), Code::denied);
}

TEST_F(TablesModesTest, PlacesFollowTheOrderOfTheKeysOwnCollation) {
  const std::string table =
      "CREATE COLLATION english (provider = icu, locale = 'en-US');"
      "CREATE TABLE t (k varchar(20) COLLATE english, n numeric, PRIMARY KEY (k, n))";
  in_both(table);
  source.run(
      "INSERT INTO t SELECT k, n FROM unnest(ARRAY['a', 'B', 'c', 'C', '', ' ', '-', 'é', E'\\t']) "
      "AS k, "
      "unnest(ARRAY[-1, 0, 1.5, 'NaN', 'Infinity']::numeric[]) AS n");
  const Target wanted = target_for("t");
  std::uint64_t rows = 0;
  tables::Cursor from;
  for (auto batches = read(wanted, 4, from); !batches.empty(); batches = read(wanted, 4, from)) {
    from = batches.front().end;
    rows += write(wanted, {batches.front()}).inserted;
  }
  EXPECT_EQ(rows, 45U);
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesModesTest, APlaceOfAnotherKeyIsRefused) {
  in_both("CREATE TABLE t (a integer, b integer, PRIMARY KEY (a, b))");
  const Target wanted = target_for("t");
  for (const char* place : {"1", "=1", "=1\t2\t3"}) {
    EXPECT_EQ(error_of([&] { read(wanted, 10, place); }).code(), Code::invalid_argument) << place;
  }
}

TEST_F(TablesModesTest, ASchemaThatComesLaterInTheSearchPath) {
  for (auto* database : {&source, &target}) {
    database->run(
        "CREATE SCHEMA app; CREATE TABLE t (id integer PRIMARY KEY, wrong integer);"
        "CREATE TYPE app.mood AS ENUM ('good'); CREATE TYPE public.mood AS ENUM ('bad');"
        "CREATE TABLE app.t (id app.mood PRIMARY KEY)");
  }
  source.run("INSERT INTO app.t VALUES ('good')");
  const auto from = tables::open_database(with(source_url, "schema=app"), Call());
  const auto to = tables::open_database(with(target_url, "schema=app"), Call());
  Target wanted;
  wanted.table = to->describe(Call()).tables.at(0);
  wanted.columns = {{"id", tables::Kind::other}};
  const auto snapshot = from->snapshot(Call());
  const auto reader =
      snapshot->read(from->describe(Call()).tables.at(0),
                     {.columns = {"id"}, .from = {}, .without_expired = {}}, Call());
  const auto batch = reader->next(10, 1000, Call());
  const auto out = to->writer(Call());
  tables::Run run;
  run.id = run_id;
  out->begin_run(run, Call());
  TableProgress progress;
  progress.table = "t";
  EXPECT_EQ(out->write(wanted, *batch, run_id, progress, 0, {}, Call()), (Counts{.inserted = 1}));
  EXPECT_EQ(target.value("SELECT count(*) FROM app.threadkeep_tier_tables"), "1");
  EXPECT_EQ(target.value("SELECT count(*) FROM app.t"), "1");
}

}  // namespace
}  // namespace threadkeep::postgres_test
