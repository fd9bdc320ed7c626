// SPDX-License-Identifier: Apache-2.0
// Lines that become rows of a file.
#include <gtest/gtest.h>

#include <algorithm>

#include "tables_support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::Counts;
using tables::Kind;
using tables::Target;
using Lines = std::vector<std::string>;

class TablesWrite : public ::testing::Test {
 protected:
  Lines run(const std::string& sql) { return RawDatabase(file_).run(sql); }

  /// A target for columns `name` of a kind, all of them updated but the key.
  Target target(const std::string& table, std::vector<tables::LineColumn> columns) {
    Target to;
    to.table = table_of(*open_tables(file_), table);
    to.columns = std::move(columns);
    for (const auto& column : to.columns) {
      if (std::find(to.table.key.begin(), to.table.key.end(), column.name) == to.table.key.end()) {
        to.update.push_back(column.name);
      }
    }
    if (to.table.key.empty()) to.mode = Target::Mode::insert_once;
    return to;
  }

  /// Writes lines as one batch; rejects are kept as `code: message`.
  Counts write(const Target& to, const std::string& lines, std::uint64_t max_rejects = 100) {
    const auto database = open_tables(file_);
    const auto writer = database->writer({});
    begin_run(*writer);
    return write(*writer, to, lines, max_rejects);
  }
  Counts write(tables::Writer& writer, const Target& to, const std::string& lines,
               std::uint64_t max_rejects = 100) {
    tables::Batch batch;
    batch.lines = lines;
    batch.rows = static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
    batch.end = "end";
    progress_.table = to.table.name;
    const auto on_reject = [this](const tables::Reject& reject) {
      rejects_.push_back(reject.code + ": " + reject.message);
      rejected_lines_.push_back(reject.line);
    };
    return writer.write(to, batch, run_id, progress_, max_rejects, on_reject, {});
  }

  /// What a field becomes in a column of a type, as quote() writes it; or the reject.
  std::string stored(const std::string& type, Kind kind, const std::string& field) {
    run("DROP TABLE IF EXISTS f; CREATE TABLE f (v " + type + ")");
    rejects_.clear();
    write(target("f", {{"v", kind}}), field + "\n");
    if (!rejects_.empty()) return rejects_.front();
    return run("SELECT quote(v) FROM f").front();
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "app.db";
  tables::TableProgress progress_;
  Lines rejects_;
  Lines rejected_lines_;
};

TEST_F(TablesWrite, stores_values_by_the_kind_of_their_source) {
  EXPECT_EQ(stored("BOOLEAN", Kind::boolean, "t"), "1");
  EXPECT_EQ(stored("BOOLEAN", Kind::boolean, "f"), "0");
  EXPECT_EQ(stored("INTEGER", Kind::integer, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(stored("INTEGER", Kind::integer, "\\N"), "NULL");
  EXPECT_EQ(stored("REAL", Kind::floating, "0.1"), "0.1");
  EXPECT_EQ(stored("REAL", Kind::floating, "-Infinity"), "-Inf");
  EXPECT_EQ(stored("REAL", Kind::floating, "NaN"), "'NaN'");
  EXPECT_EQ(stored("DECIMAL(10,2)", Kind::numeric, "12.50"), "12.5");
  EXPECT_EQ(stored("BLOB", Kind::bytes, "\\\\x00ff"), "X'00FF'");
  EXPECT_EQ(stored("TEXT", Kind::text, "a\\tb\\\\\\n"), "'a\tb\\\n'");
  EXPECT_EQ(stored("TEXT", Kind::integer, "007"), "'007'");
  EXPECT_EQ(stored("TEXT", Kind::uuid, "0f"), "'0f'");
  EXPECT_EQ(stored("JSON", Kind::json, "1.50"), "1.5");
  EXPECT_EQ(stored("TEXT", Kind::timestamp_with_zone, "2026-01-02 03:04:05.6+00"),
            "'2026-01-02 03:04:05.6+00:00'");
  EXPECT_EQ(stored("TEXT", Kind::timestamp, "2026-01-02 03:04:05"), "'2026-01-02 03:04:05'");
  EXPECT_EQ(stored("TEXT", Kind::date, "2026-01-02"), "'2026-01-02'");
  EXPECT_EQ(stored("BLOB", Kind::vector, "[1,2]"), "'[1,2]'");
}

TEST_F(TablesWrite, rejects_numbers_that_it_would_round) {
  EXPECT_EQ(stored("TEXT", Kind::numeric, "12345678901234567890.10"), "'12345678901234567890.10'");
  EXPECT_EQ(stored("BLOB", Kind::numeric, "12345678901234567890"), "'12345678901234567890'");
  EXPECT_EQ(stored("DECIMAL", Kind::numeric, "12345678901234567890"),
            "SQLITE_MISMATCH: the column \"v\" cannot keep the number 12345678901234567890 "
            "unchanged; declare the column TEXT");
  EXPECT_TRUE(stored("INTEGER", Kind::integer, "9223372036854775808").starts_with("SQLITE_MIS"));
  EXPECT_TRUE(stored("REAL", Kind::integer, "9007199254740993").starts_with("SQLITE_MISMATCH"));
  EXPECT_EQ(stored("REAL", Kind::integer, "9007199254740992"), "9.00719925474099199994e+15");
  EXPECT_TRUE(stored("STRING", Kind::text, "007").starts_with("SQLITE_MISMATCH"));
  EXPECT_EQ(stored("STRING", Kind::text, "7"), "7");
  EXPECT_EQ(stored("STRING", Kind::text, "7a"), "'7a'");
}

TEST_F(TablesWrite, counts_what_became_of_rows) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, n INT DEFAULT 5)");
  const auto to = target("t", {{"id", Kind::integer}, {"name", Kind::text}});
  EXPECT_EQ(write(to, "1\ta\n2\tb\n"), (Counts{.inserted = 2}));
  EXPECT_EQ(write(to, "1\ta\n2\tB\n3\tc\n"), (Counts{.inserted = 1, .updated = 1, .unchanged = 1}));
  EXPECT_EQ(run("SELECT id, name, n FROM t ORDER BY id"), (Lines{"1|a|5", "2|B|5", "3|c|5"}));
}

TEST_F(TablesWrite, leaves_equal_rows_unwritten) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE log (id); "
      "CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (old.id); END; "
      "CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO log VALUES (-new.id); END");
  const auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}});
  write(to, "1\ta\n2\tb\n");
  run("DELETE FROM log");
  write(to, "1\ta\n2\tc\n");
  EXPECT_EQ(run("SELECT id FROM log"), Lines{"2"});
}

TEST_F(TablesWrite, tells_storage_classes_apart_where_a_column_has_no_type) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 5), (2, '5')");
  const auto to = target("t", {{"id", Kind::integer}, {"v", Kind::other}});
  EXPECT_EQ(write(to, "1\t\\x35\n2\t5\n"), (Counts{.unchanged = 2}));
  EXPECT_EQ(write(to, "1\t5\n2\t\\x35\n"), (Counts{.updated = 2}));
  EXPECT_EQ(run("SELECT quote(v) FROM t ORDER BY id"), (Lines{"'5'", "5"}));
}

TEST_F(TablesWrite, keeps_rows_that_are_newer) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v, version INT); "
      "INSERT INTO t VALUES (1, 'x', 5), (2, 'x', 5), (3, 'x', 5), (4, 'x', NULL), (5, 'x', 1), "
      "(6, 'x', NULL)");
  auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}, {"version", Kind::integer}});
  to.guard = "version";
  EXPECT_EQ(write(to, "1\ty\t4\n2\ty\t5\n3\tx\t5\n4\ty\t1\n5\ty\t\\N\n6\ty\t\\N\n"),
            (Counts{.updated = 3, .unchanged = 1, .kept = 2}));
  EXPECT_EQ(run("SELECT v || coalesce(version, '-') FROM t ORDER BY id"),
            (Lines{"x5", "y5", "x5", "y1", "x1", "y-"}));
}

TEST_F(TablesWrite, compares_guards_as_times_however_they_are_written) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v, at DATETIME); INSERT INTO t VALUES "
      "(1, 'x', '2026-01-02T00:00:00Z'), (2, 'x', 1800000000), (3, 'x', '2026-01-02 00:00:00'), "
      "(4, 'x', '2026-01-02 00:00:00')");
  auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}, {"at", Kind::timestamp}});
  to.guard = "at";
  EXPECT_EQ(write(to,
                  "1\ty\t2026-01-02 01:00:00\n2\ty\t2026-01-02 00:00:00\n"
                  "3\ty\t2026-01-02 00:00:00.000001\n4\ty\t\\N\n"),
            (Counts{.updated = 2, .kept = 2}));
}

TEST_F(TablesWrite, compares_times_that_are_texts_or_numbers) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v, at TEXT); INSERT INTO t VALUES "
      "(1, 'x', '2026-01-02T00:00:00+02:00'), (2, 'x', '2026-01-02T00:00:00Z'), (3, 'x', 'b'); "
      "CREATE TABLE r (id INTEGER PRIMARY KEY, v, at REAL); INSERT INTO r VALUES (1, 'x', 1.5)");
  auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}, {"at", Kind::text}});
  to.guard = "at";
  EXPECT_EQ(write(to, "1\ty\t2026-01-01 23:00:00\n2\ty\t2026-01-01 23:00:00\n3\ty\ta\n"),
            (Counts{.updated = 1, .kept = 2}));
  to = target("r", {{"id", Kind::integer}, {"v", Kind::text}, {"at", Kind::floating}});
  to.guard = "at";
  EXPECT_EQ(write(to, "1\ty\t1.25\n"), (Counts{.kept = 1}));
}

TEST_F(TablesWrite, compares_versions_where_times_are_equal) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v, at DATETIME, version INT); INSERT INTO t VALUES "
      "(1, 'x', '2026-01-02T00:00:00Z', 3), (2, 'x', '2026-01-02T00:00:00Z', 1), "
      "(3, 'x', '2026-01-01T00:00:00Z', 3), (4, 'x', NULL, 3)");
  auto to = target("t", {{"id", Kind::integer},
                         {"v", Kind::text},
                         {"at", Kind::timestamp},
                         {"version", Kind::integer}});
  to.guard = "at";
  to.second_guard = "version";
  EXPECT_EQ(write(to,
                  "1\ty\t2026-01-02 00:00:00\t2\n2\ty\t2026-01-02 00:00:00\t2\n"
                  "3\ty\t2026-01-02 00:00:00\t2\n4\ty\t\\N\t2\n"),
            (Counts{.updated = 2, .kept = 2}));
}

// Row 1 is as pass 1 left it, and a trigger has changed its time since; 2 and 3 are the target's.
TEST_F(TablesWrite, leaves_links_of_newer_rows) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, boss INT, version INT); "
      "INSERT INTO t VALUES (1, 'x', NULL, 2), (2, 'y', NULL, 2), (3, 'x', 2, 2), (4, 'x', NULL, "
      "1)");
  auto to = target("t", {{"id", Kind::integer},
                         {"v", Kind::text},
                         {"boss", Kind::integer},
                         {"version", Kind::integer}});
  to.mode = Target::Mode::update_only;
  to.update = {"boss"};
  to.guard = "version";
  EXPECT_EQ(write(to, "1\tx\t1\t1\n2\tx\t1\t1\n3\tx\t1\t1\n4\tx\t1\t1\n"),
            (Counts{.updated = 2, .kept = 2}));
  EXPECT_EQ(run("SELECT id, boss FROM t ORDER BY id"), (Lines{"1|1", "2|NULL", "3|2", "4|1"}));
}

TEST_F(TablesWrite, takes_no_row_for_another_whose_key_is_written_otherwise) {
  run("CREATE TABLE t (id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, v); "
      "INSERT INTO t VALUES ('A', 'x'), ('b', 'x')");
  auto to = target("t", {{"id", Kind::text}, {"v", Kind::text}});
  EXPECT_EQ(write(to, "a\ty\nb\ty\n"), (Counts{.updated = 1, .rejected = 1}));
  EXPECT_EQ(rejects_, Lines{"SQLITE_CONSTRAINT_UNIQUE: the key is taken by a row whose key is "
                            "written in another way"});
  EXPECT_EQ(run("SELECT id, v FROM t ORDER BY id"), (Lines{"A|x", "b|y"}));
  to.mode = Target::Mode::update_only;
  EXPECT_EQ(write(to, "a\tz\n"), Counts{});
}

TEST_F(TablesWrite, rejects_rows_one_by_one_and_says_why) {
  run("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, mail TEXT UNIQUE, n INT NOT NULL "
      "CONSTRAINT positive CHECK (n > 0))");
  const auto to = target("t", {{"id", Kind::text}, {"mail", Kind::text}, {"n", Kind::integer}});
  EXPECT_EQ(write(to, "a\tm\t1\nb\tm\t1\nc\tx\t0\nd\ty\t\\N\n\\N\tz\t1\ne\tw\t2\ne\tv\t2\n"),
            (Counts{.inserted = 2, .rejected = 5}));
  EXPECT_EQ(rejects_,
            (Lines{"SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: t.mail",
                   "SQLITE_CONSTRAINT_CHECK: CHECK constraint failed: positive",
                   "SQLITE_CONSTRAINT_NOTNULL: NOT NULL constraint failed: t.n",
                   "SQLITE_CONSTRAINT_NOTNULL: NULL in the key: t.id",
                   "SQLITE_CONSTRAINT_UNIQUE: the key is that of an earlier row of the same "
                   "batch"}));
  EXPECT_EQ(rejected_lines_.front(), "b\tm\t1");
  EXPECT_EQ(run("SELECT id FROM t ORDER BY id"), (Lines{"a", "e"}));
  EXPECT_EQ(progress_.counts.rejected, 5U);
}

TEST_F(TablesWrite, finds_a_key_twice_by_the_collation_of_the_key) {
  run("CREATE TABLE t (id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, v)");
  const auto to = target("t", {{"id", Kind::text}, {"v", Kind::text}});
  EXPECT_EQ(write(to, "a\t1\nA\t2\n"), (Counts{.inserted = 1, .rejected = 1}));
}

TEST_F(TablesWrite, removes_no_rows_where_the_table_says_replace) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE ON CONFLICT REPLACE); "
      "INSERT INTO t VALUES (1, 'x')");
  const auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}});
  EXPECT_EQ(write(to, "2\tx\n"), (Counts{.rejected = 1}));
  EXPECT_EQ(run("SELECT id FROM t"), Lines{"1"});
}

TEST_F(TablesWrite, does_not_count_rows_that_a_trigger_holds_back) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v); "
      "CREATE TRIGGER i BEFORE INSERT ON t WHEN new.id = 2 BEGIN SELECT RAISE(IGNORE); END; "
      "CREATE TRIGGER a BEFORE INSERT ON t WHEN new.id = 3 BEGIN SELECT RAISE(ABORT, 'no'); END");
  const auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}});
  EXPECT_EQ(write(to, "1\ta\n2\tb\n3\tc\n"), (Counts{.inserted = 1, .rejected = 2}));
  EXPECT_EQ(rejects_,
            (Lines{"SQLITE_CONSTRAINT_TRIGGER: a trigger of the table does not let the row in",
                   "SQLITE_CONSTRAINT_TRIGGER: no"}));
}

TEST_F(TablesWrite, gives_a_batch_up_at_one_reject_too_many) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v NOT NULL)");
  const auto to = target("t", {{"id", Kind::integer}, {"v", Kind::text}});
  const auto error = error_of([&] { write(to, "1\ta\n2\t\\N\n3\t\\N\n", 1); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_EQ(run("SELECT count(*) FROM t"), Lines{"0"});
  EXPECT_EQ(progress_.counts, Counts{});
  EXPECT_EQ(write(to, "1\ta\n2\t\\N\n", 1), (Counts{.inserted = 1, .rejected = 1}));
}

TEST_F(TablesWrite, rejects_rows_that_point_to_nothing_and_those_that_point_to_them) {
  for (const char* deferral : {"", " DEFERRABLE INITIALLY DEFERRED"}) {
    run("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, parent INT REFERENCES t" +
        std::string(deferral) + ", x)");
    rejects_.clear();
    const auto to = target("t", {{"id", Kind::integer}, {"parent", Kind::integer}});
    // 1 comes before its parent; 3 has none; 4 points to 3; 5 to nothing at all.
    EXPECT_EQ(write(to, "1\t2\n2\t\\N\n3\t9\n4\t3\n5\t\\N\n"),
              (Counts{.inserted = 3, .rejected = 2}));
    EXPECT_EQ(rejects_.front(),
              "SQLITE_CONSTRAINT_FOREIGNKEY: FOREIGN KEY constraint failed: t (parent) points to "
              "no row of t");
    EXPECT_EQ(run("SELECT id FROM t ORDER BY id"), (Lines{"1", "2", "5"}));
  }
}

TEST_F(TablesWrite, lets_rows_of_a_group_point_to_later_ones) {
  run("CREATE TABLE a (id INTEGER PRIMARY KEY, b INT NOT NULL REFERENCES b); "
      "CREATE TABLE b (id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES a)");
  const auto a = target("a", {{"id", Kind::integer}, {"b", Kind::integer}});
  const auto b = target("b", {{"id", Kind::integer}, {"a", Kind::integer}});
  const auto database = open_tables(file_);
  const auto writer = database->writer({});
  begin_run(*writer);
  writer->begin_group({});
  write(*writer, a, "1\t2\n");
  EXPECT_EQ(run("SELECT count(*) FROM a"), Lines{"0"});
  write(*writer, b, "2\t1\n");
  writer->end_group({});
  EXPECT_EQ(run("SELECT count(*) FROM a, b"), Lines{"1"});
  writer->begin_group({});
  write(*writer, a, "5\t6\n");
  const auto error = error_of([&] { writer->end_group({}); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_NE(error.message().find("1 rows of \"a\" point to no row of \"b\""), std::string::npos);
  EXPECT_EQ(run("SELECT count(*) FROM a"), Lines{"1"});
  EXPECT_EQ(write(*writer, b, "2\t1\n"), (Counts{.unchanged = 1})) << "the writer still works";
}

TEST_F(TablesWrite, sets_links_of_a_cycle_in_a_second_pass) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, next INT DEFAULT 7 REFERENCES t)");
  auto first = target("t", {{"id", Kind::integer}});
  first.nulls = {"next"};
  EXPECT_EQ(write(first, "1\n2\n"), (Counts{.inserted = 2}));
  EXPECT_EQ(run("SELECT quote(next) FROM t"), (Lines{"NULL", "NULL"}));
  auto second = target("t", {{"id", Kind::integer}, {"next", Kind::integer}});
  second.mode = Target::Mode::update_only;
  EXPECT_EQ(write(second, "1\t2\n2\t\\N\n3\t1\n"), (Counts{.updated = 1, .unchanged = 1}));
  EXPECT_EQ(run("SELECT id FROM t WHERE next = 2"), Lines{"1"});
  EXPECT_EQ(run("SELECT count(*) FROM t"), Lines{"2"});
}

TEST_F(TablesWrite, inserts_rows_of_tables_without_a_key) {
  run("CREATE TABLE t (v TEXT)");
  EXPECT_EQ(write(target("t", {{"v", Kind::text}}), "a\na\n\\N\n"), (Counts{.inserted = 3}));
  EXPECT_EQ(run("SELECT count(*) FROM t"), Lines{"3"});
  auto upsert = target("t", {{"v", Kind::text}});
  upsert.mode = Target::Mode::upsert;
  EXPECT_EQ(error_of([&] { write(upsert, "a\n"); }).code(), Code::invalid_argument);
}

TEST_F(TablesWrite, remembers_a_run_with_its_rows) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY)");
  const auto to = target("t", {{"id", Kind::integer}});
  const auto database = open_tables(file_);
  const auto writer = database->writer({});
  EXPECT_FALSE(writer->unfinished_run({}));
  EXPECT_EQ(run("SELECT count(*) FROM sqlite_schema"), Lines{"1"}) << "nothing was created";
  tables::Run begun;
  begun.id = run_id;
  begun.source = "sqlite:a";
  begun.plan_hash = "abc";
  begun.started_at = 123;
  writer->begin_run(begun, {});
  write(*writer, to, "1\n2\n");
  write(*writer, to, "2\n3\n");
  writer->mark_done(run_id, progress_, {});
  const auto found = writer->unfinished_run({});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->source, "sqlite:a");
  EXPECT_EQ(found->plan_hash, "abc");
  EXPECT_EQ(found->started_at, 123);
  ASSERT_EQ(found->tables.size(), 1U);
  EXPECT_EQ(found->tables[0].cursor, "end");
  EXPECT_TRUE(found->tables[0].done);
  EXPECT_EQ(found->tables[0].counts, (Counts{.inserted = 3, .unchanged = 1}));
  EXPECT_TRUE(database->describe({}).tables.size() == 1) << "the ledger is no table of the app";
  writer->finish_run(run_id, {});
  EXPECT_FALSE(writer->unfinished_run({}));
}

TEST_F(TablesWrite, checks_sequences_and_references) {
  run("CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT); "
      "CREATE TABLE c (id INTEGER PRIMARY KEY, p INT REFERENCES p, q INT REFERENCES p); "
      "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 7), (2, 8, 9), (3, NULL, 1)");
  const auto database = open_tables(file_);
  const auto writer = database->writer({});
  const auto p = table_of(*database, "p");
  write(target("p", {{"id", Kind::integer}}), "41\n");
  EXPECT_TRUE(writer->sequences_behind(p, {}).empty());
  run("UPDATE sqlite_sequence SET seq = 3");
  ASSERT_EQ(writer->sequences_behind(p, {}).size(), 1U);
  EXPECT_EQ(writer->sequences_behind(p, {})[0].next, "4");
  EXPECT_EQ(writer->sequences_behind(p, {})[0].highest, "41");
  EXPECT_EQ(writer->advance_sequences(p, {}), 1U);
  EXPECT_TRUE(writer->sequences_behind(p, {}).empty());
  const auto orphans = writer->orphans(table_of(*database, "c"), {});
  ASSERT_EQ(orphans.size(), 2U);
  std::uint64_t rows = 0;
  for (const auto& each : orphans) {
    rows += each.rows * (each.key.columns == Lines{"p"} ? 10 : 1);
  }
  EXPECT_EQ(rows, 12U) << "one by p and two by q";
}

}  // namespace
}  // namespace threadkeep::sqlite_test
