// SPDX-License-Identifier: Apache-2.0
// Tables that go from one file to another.
#include <gtest/gtest.h>

#include <random>

#include "tables_support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::Counts;

class TablesCopy : public ::testing::Test {
 protected:
  void in_both(const std::string& sql) {
    RawDatabase(from_).run(sql);
    RawDatabase(to_).run(sql);
  }
  tables::Differences compare(const std::string& table) {
    return compare_tables(*open_tables(from_), *open_tables(to_), table);
  }

  TemporaryDirectory directory_;
  std::filesystem::path from_ = directory_.path() / "from.db";
  std::filesystem::path to_ = directory_.path() / "to.db";
};

/// Random tables with values of all storage classes in all columns.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string create() {
    // Kinds whose texts are one way only are not among them: times from numbers, texts of truth.
    static const std::vector<std::string> types = {"",
                                                   "INTEGER",
                                                   "REAL",
                                                   "TEXT",
                                                   "BLOB",
                                                   "NUMERIC",
                                                   "DECIMAL(10,2)",
                                                   "VARCHAR(9)",
                                                   "JSON",
                                                   "UUID",
                                                   "VECTOR(2)",
                                                   "STRING",
                                                   "DATE",
                                                   "FLOAT[2]",
                                                   "BIGINT",
                                                   "BYTEA",
                                                   "DOUBLE",
                                                   "TEXT COLLATE NOCASE",
                                                   "INTERVAL",
                                                   "BOOLEAN",
                                                   "TIMESTAMPTZ"};
    columns_.clear();
    const auto count = 1 + pick(6);
    std::string sql;
    for (std::size_t i = 0; i < count; ++i) {
      columns_.push_back(types[pick(types.size())]);
      sql += ", \"c " + std::to_string(i) + "\" " +
             (columns_.back() == "FLOAT[2]" ? "\"FLOAT[2]\"" : columns_.back());
    }
    static const std::vector<std::string> keys = {"k INTEGER PRIMARY KEY", "k NOT NULL PRIMARY KEY",
                                                  "k TEXT NOT NULL PRIMARY KEY", "k"};
    return "CREATE TABLE t (" + keys[pick(keys.size())] + sql + ")";
  }

  std::string insert(int key) {
    std::string sql = "INSERT INTO t VALUES (" + std::to_string(key);
    for (const auto& type : columns_) sql += ", " + value_for(type);
    return sql + ")";
  }

 private:
  std::size_t pick(std::size_t end) { return random_() % end; }

  std::string value_for(const std::string& type) {
    static const std::vector<std::string> times = {
        "'2026-01-02 03:04:05+00'", "'2026-01-02T03:04:05Z'", "'soon'", "''", "NULL", "x'00'"};
    if (type == "TIMESTAMPTZ") return times[pick(times.size())];
    const std::string value = any_value();
    return type == "BOOLEAN" && value.front() == '\'' ? "'maybe'" : value;
  }

  std::string any_value() {
    static const std::vector<std::string> special = {"NULL",
                                                     "''",
                                                     "x''",
                                                     "0",
                                                     "-1",
                                                     "1",
                                                     "5.0",
                                                     "9e999",
                                                     "-9e999",
                                                     "1e15",
                                                     "1e300",
                                                     "5e-324",
                                                     "9223372036854775807",
                                                     "-9223372036854775808",
                                                     "9007199254740993",
                                                     "0.1",
                                                     "123456.75",
                                                     "'\\N'",
                                                     "'\\.'",
                                                     "'\\x6869'",
                                                     "'a' || char(9, 10, 13, 92) || 'b'",
                                                     "'t'",
                                                     "'007'",
                                                     "' 5 '",
                                                     "'1e5'",
                                                     "'Infinity'",
                                                     "'NaN'",
                                                     "'0x10'",
                                                     "x'00'",
                                                     "x'0000803f000000c0'",
                                                     "x'000102030405060708090a0b0c0d0e0f'",
                                                     "'00010203-0405-0607-0809-0a0b0c0d0e0f'",
                                                     "'[1,2]'",
                                                     "'2026-01-02 03:04:05+00'",
                                                     "CAST(x'61ff00' AS TEXT)",
                                                     "'\xc3\xbc'",
                                                     "'12345678901234567890'",
                                                     "'1.10'",
                                                     "'\\101'",
                                                     "x'2d30'",
                                                     "-0.0",
                                                     "'{\"a\":1}'"};
    switch (pick(4)) {
      case 0:
        return std::to_string(static_cast<std::int64_t>(random_()) >> pick(63));
      case 1:
        return "x'" + hex(pick(20)) + "'";
      default:
        return special[pick(special.size())];
    }
  }

  std::string hex(std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < 2 * bytes; ++i) text += "0123456789abcdef"[pick(16)];
    return text;
  }

  std::mt19937_64 random_;
  std::vector<std::string> columns_;
};

TEST_F(TablesCopy, values_of_all_storage_classes_arrive_unchanged) {
  in_both("PRAGMA journal_mode = WAL");
  for (unsigned seed = 0; seed < 60; ++seed) {
    Generator generator(seed);
    const std::string create = generator.create();
    in_both("DROP TABLE IF EXISTS t; " + create);
    std::string inserts = "BEGIN;";
    for (int key = 0; key < 30; ++key) inserts += generator.insert(key) + ";";
    RawDatabase(from_).run(inserts + "COMMIT");
    const auto source = open_tables(from_);
    const auto target = open_tables(to_, "synchronous=normal");
    EXPECT_EQ(copy_table(*source, *target, "t"), (Counts{.inserted = 30}));
    const auto table = table_of(*source, "t");
    EXPECT_EQ(quoted_rows(to_, table), quoted_rows(from_, table)) << seed << ": " << create;
    const auto differences = compare("t");
    EXPECT_EQ(differences.total(), 0U)
        << seed << ": " << create << ": " << differences.examples.front();
    if (table.key.empty()) continue;
    EXPECT_EQ(copy_table(*source, *target, "t"), (Counts{.unchanged = 30})) << create;
  }
}

TEST_F(TablesCopy, times_and_truths_become_those_of_their_kind) {
  in_both("CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, done BOOLEAN)");
  RawDatabase(from_).run("INSERT INTO t VALUES (1, 1700000000, 'true'), (2, 'soon', 0)");
  copy_table(*open_tables(from_), *open_tables(to_), "t");
  EXPECT_EQ(RawDatabase(to_).run("SELECT quote(at), quote(done) FROM t"),
            (std::vector<std::string>{"'2023-11-14 22:13:20'|1", "'soon'|0"}));
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesCopy, names_are_quoted) {
  in_both("CREATE TABLE \"a \"\"b\"\"\" (\"select\" TEXT NOT NULL PRIMARY KEY, \"x \"\"y\" INT)");
  RawDatabase(from_).run("INSERT INTO \"a \"\"b\"\"\" VALUES ('k', 1)");
  EXPECT_EQ(copy_table(*open_tables(from_), *open_tables(to_), "a \"b\""), (Counts{.inserted = 1}));
}

TEST_F(TablesCopy, generated_columns_are_made_again) {
  in_both(
      "CREATE TABLE t (a INT NOT NULL, b INT AS (a * 2) STORED, c INT AS (a + 1), "
      "PRIMARY KEY (a)) WITHOUT ROWID");
  RawDatabase(from_).run("INSERT INTO t (a) VALUES (4)");
  copy_table(*open_tables(from_), *open_tables(to_), "t");
  EXPECT_EQ(RawDatabase(to_).value("SELECT * FROM t"), "4|8|5");
}

TEST_F(TablesCopy, a_comparison_tells_what_differs) {
  in_both("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, n INT)");
  RawDatabase(from_).run("INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
  RawDatabase(to_).run("INSERT INTO t VALUES (2, 'B', 7), (3, 'c', 3), (4, 'd', 4)");
  const auto found = compare("t");
  EXPECT_EQ(found.missing, 1U);
  EXPECT_EQ(found.different, 1U);
  EXPECT_EQ(found.extra, 1U);
  EXPECT_EQ(found.examples,
            (std::vector<std::string>{"missing (1)", "different (2): name, n", "extra (4)"}));
}

// With whole numbers as keys too: a search without an index takes minutes, and the test its limit.
TEST_F(TablesCopy, a_comparison_of_many_rows_finds_extra_ones_by_an_index) {
  in_both("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
  const std::string fill =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000) "
      "INSERT INTO t SELECT i, 'x' FROM n";
  RawDatabase(from_).run(fill);
  RawDatabase(to_).run(fill + "; INSERT INTO t VALUES (0, 'y')");
  const auto found = compare("t");
  EXPECT_EQ(found.extra, 1U);
  EXPECT_EQ(found.total(), 1U);
}

TEST_F(TablesCopy, a_comparison_tells_a_key_that_is_written_otherwise) {
  RawDatabase(from_).run(
      "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, n INT); "
      "INSERT INTO t VALUES ('a', 1), ('A', 1), ('b', 3)");
  RawDatabase(to_).run(
      "CREATE TABLE t (id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, n INT); "
      "INSERT INTO t VALUES ('A', 1), ('b', 3)");
  const auto found = compare("t");
  EXPECT_EQ(found.total(), 1U);
  EXPECT_EQ(found.examples, std::vector<std::string>{"different (a): id"});
}

// A search without an index takes minutes, and the test its limit.
TEST_F(TablesCopy, an_undo_of_many_rows_finds_those_that_refer_to_them_by_an_index) {
  constexpr int rows = 100'000;
  RawDatabase(to_).run(
      "CREATE TABLE p (id INTEGER PRIMARY KEY); "
      "CREATE TABLE c (id TEXT PRIMARY KEY NOT NULL, p INT REFERENCES p)");
  const auto database = open_tables(to_);
  const auto writer = database->writer({});
  begin_run(*writer);
  tables::Batch parents, children;
  parents.rows = children.rows = rows;
  for (int i = 0; i < rows; ++i) {
    parents.lines += std::to_string(i) + "\n";
    children.lines += "c" + std::to_string(i) + "\t" + std::to_string(i) + "\n";
  }
  const auto write = [&](const std::string& name, const tables::Batch& batch,
                         std::vector<tables::LineColumn> columns) {
    tables::Target to;
    to.table = table_of(*database, name);
    to.columns = std::move(columns);
    to.log = true;
    tables::TableProgress progress;
    progress.table = name;
    writer->write(to, batch, run_id, progress, 0, nullptr, {});
    return to.table;
  };
  const auto parent = write("p", parents, {{"id", tables::Kind::integer}});
  const auto child =
      write("c", children, {{"id", tables::Kind::text}, {"p", tables::Kind::integer}});
  RawDatabase(to_).run("CREATE INDEX c_p ON c (p); INSERT INTO c VALUES ('other', 7)");
  const auto undo = database->undo(run_id, {});
  EXPECT_EQ(undo->look(child, nullptr, {}).unchanged, 100'000U);
  EXPECT_EQ(undo->look(parent, nullptr, {}).unchanged, 100'000U);
  const auto referrers = undo->referrers(parent, {});
  ASSERT_EQ(referrers.size(), 1U);
  EXPECT_EQ(referrers.front().rows, 1U);
}

TEST_F(TablesCopy, a_comparison_counts_equal_rows_of_a_table_without_key) {
  in_both("CREATE TABLE t (a TEXT COLLATE NOCASE, b)");
  RawDatabase(from_).run("INSERT INTO t VALUES ('x', 1), ('x', 1), ('X', 1), (NULL, NULL)");
  RawDatabase(to_).run("INSERT INTO t VALUES ('x', 1), ('X', 1), ('X', 1), (NULL, NULL)");
  const auto found = compare("t");
  EXPECT_EQ(found.missing, 1U);
  EXPECT_EQ(found.extra, 1U);
}

TEST_F(TablesCopy, a_second_copy_writes_no_row) {
  in_both("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  RawDatabase(from_).run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
      "INSERT INTO t SELECT i, hex(randomblob(20000)) FROM n");
  const auto source = open_tables(from_);
  const auto target = open_tables(to_);
  RawDatabase keeps_log(to_);  // The last connection would remove it.
  keeps_log.run("SELECT * FROM sqlite_schema");
  const auto log = to_.string() + "-wal";
  copy_table(*source, *target, "t");
  EXPECT_GT(std::filesystem::file_size(log), 20U * 40000U);
  keeps_log.run("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_EQ(copy_table(*source, *target, "t"), (Counts{.unchanged = 20}));
  EXPECT_LT(std::filesystem::file_size(log), 100'000U) << "only what runs remember";
}

}  // namespace
}  // namespace threadkeep::sqlite_test
