// SPDX-License-Identifier: Apache-2.0
// Tables of an application as lines.
#include <gtest/gtest.h>

#include <fstream>

#include "tables_support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::Kind;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

tables::Snapshot::Selection columns(std::vector<std::string> names) {
  return {.columns = std::move(names), .from = {}, .without_expired = {}};
}

class TablesRead : public ::testing::Test {
 protected:
  void run(const std::string& sql) { RawDatabase(file_).run(sql); }
  std::string lines(const std::string& name, std::uint64_t max_rows = 1000) {
    return lines_of(*open_tables(file_), name, max_rows);
  }
  /// The field of one value in a column of a type.
  std::string field(const std::string& type, const std::string& value) {
    const std::string quoted = type.empty() ? "" : '"' + type + '"';
    run("DROP TABLE IF EXISTS f; CREATE TABLE f (v " + quoted + "); INSERT INTO f VALUES (" +
        value + ")");
    std::string line = lines("f");
    line.pop_back();
    return line;
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "app.db";
};

TEST_F(TablesRead, escapes_as_postgres_does) {
  EXPECT_EQ(field("TEXT", "NULL"), "\\N");
  EXPECT_EQ(field("TEXT", "'\\N'"), "\\\\N");
  EXPECT_EQ(field("TEXT", "'\\.'"), "\\\\.");
  EXPECT_EQ(field("TEXT", "''"), "");
  EXPECT_EQ(field("TEXT", "'a' || char(8, 9, 10, 11, 12, 13) || 'b\\'"),
            "a\\b\\t\\n\\v\\f\\rb\\\\");
}

TEST_F(TablesRead, writes_values_in_the_text_of_their_kind) {
  EXPECT_EQ(field("BOOLEAN", "1"), "t");
  EXPECT_EQ(field("BOOLEAN", "0"), "f");
  EXPECT_EQ(field("BOOLEAN", "'TRUE'"), "t");
  EXPECT_EQ(field("BOOLEAN", "'false'"), "f");
  EXPECT_EQ(field("BOOLEAN", "2"), "2");
  EXPECT_EQ(field("INTEGER", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(field("REAL", "5"), "5");
  EXPECT_EQ(field("REAL", "0.1"), "0.1");
  EXPECT_EQ(field("REAL", "1e300"), "1e+300");
  EXPECT_EQ(field("REAL", "1e15"), "1e+15");
  EXPECT_EQ(field("REAL", "123456789012345.0"), "123456789012345");
  EXPECT_EQ(field("REAL", "0.0001"), "0.0001");
  EXPECT_EQ(field("REAL", "0.00001"), "1e-05");
  EXPECT_EQ(field("REAL", "9e999"), "Infinity");
  EXPECT_EQ(field("REAL", "-9e999"), "-Infinity");
  EXPECT_EQ(field("DECIMAL(10,2)", "1.50"), "1.5");
  EXPECT_EQ(field("BLOB", "x'00ff'"), "\\\\x00ff");
  EXPECT_EQ(field("BLOB", "x''"), "\\\\x");
  EXPECT_EQ(field("VECTOR(3)", "'[1, 2,3]'"), "[1, 2,3]");
  EXPECT_EQ(field("JSON", "'{\"a\": 1}'"), "{\"a\": 1}");
}

// What Postgres makes of a field, whatever storage class its escapes tell.
std::string as_postgres_reads(std::string field) {
  for (std::size_t at = 0; (at = field.find('\\', at)) != std::string::npos; ++at) {
    const bool hex = field[at + 1] == 'x';
    const bool octal = field[at + 1] >= '0' && field[at + 1] <= '3';
    if (!hex && !octal) {
      field.erase(at, 1);
      continue;
    }
    const auto digits = field.substr(at + (hex ? 2 : 1), hex ? 2 : 3);
    field.replace(at, 4, 1, static_cast<char>(std::stoi(digits, nullptr, hex ? 16 : 8)));
  }
  return field;
}

TEST_F(TablesRead, writes_values_of_another_storage_class_in_the_text_of_the_kind) {
  const auto read = [&](const std::string& type, const std::string& value) {
    return as_postgres_reads(field(type, value));
  };
  EXPECT_EQ(read("BLOB", "'hello'"), "\\x68656c6c6f");
  EXPECT_EQ(read("BLOB", "5"), "\\x35");
  EXPECT_EQ(read("TEXT", "x'6869'"), "\\x6869");
  EXPECT_EQ(read("INTEGER", "'abc'"), "abc");
  EXPECT_EQ(read("INTEGER", "5.5"), "5.5");
  EXPECT_EQ(read("", "5"), "5");
  EXPECT_EQ(read("", "5.0"), "5.0");
  EXPECT_EQ(read("", "'5'"), "5");
  EXPECT_EQ(read("UUID", "x'000102030405060708090a0b0c0d0e0f'"),
            "00010203-0405-0607-0809-0a0b0c0d0e0f");
  EXPECT_EQ(read("VECTOR(3)", "x'0000803f000000c00000003f'"), "[1,-2,0.5]");
  EXPECT_EQ(read("VECTOR(3)", "x'0000803f00'"), "\\x0000803f00");
  EXPECT_EQ(read("VECTOR(1)", "x'0000c07f'"), "\\x0000c07f");
}

TEST_F(TablesRead, takes_numbers_for_times_by_their_size) {
  EXPECT_EQ(field("DATETIME", "1700000000"), "2023-11-14 22:13:20");
  EXPECT_EQ(field("DATETIME", "1700000000123"), "2023-11-14 22:13:20.123");
  EXPECT_EQ(field("DATETIME", "1700000000123456"), "2023-11-14 22:13:20.123456");
  EXPECT_EQ(field("TIMESTAMPTZ", "1700000000"), "2023-11-14 22:13:20+00");
  EXPECT_EQ(field("DATETIME", "-1"), "1969-12-31 23:59:59");
  EXPECT_EQ(field("DATETIME", "99999999999"), "5138-11-16 09:46:39");
  EXPECT_EQ(field("DATETIME", "100000000000"), "1973-03-03 09:46:40");
  EXPECT_EQ(field("DATETIME", "100000000000000"), "1973-03-03 09:46:40");
  EXPECT_EQ(field("DATETIME", "100000000000000000"), "100000000000000000");
  EXPECT_EQ(field("DATETIME", "-99999999999"), "-99999999999") << "before the year 1";
  EXPECT_EQ(field("DATETIME", "1700000000.25"), "2023-11-14 22:13:20.25");
  EXPECT_EQ(field("DATETIME", "2460263.425925926"), "2023-11-14 22:13:20");
  EXPECT_EQ(field("DATETIME", "'2023-11-14T22:13:20Z'"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(field("DATE", "1700000000"), "1700000000");
}

TEST_F(TablesRead, lets_texts_through_that_are_none) {
  EXPECT_EQ(field("TEXT", "CAST(x'61ff62' AS TEXT)"),
            "a\xff"
            "b");
  EXPECT_EQ(field("TEXT", "CAST(x'610062' AS TEXT)"), std::string("a\0b", 3));
}

TEST_F(TablesRead, reads_a_file_in_utf16) {
  run("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a TEXT NOT NULL PRIMARY KEY); "
      "INSERT INTO t VALUES ('gr\xc3\xbc\xc3\x9f')");
  EXPECT_EQ(lines("t"), "gr\xc3\xbc\xc3\x9f\n");
}

TEST_F(TablesRead, reads_in_the_order_of_the_key) {
  run("CREATE TABLE t (a TEXT NOT NULL, b INT NOT NULL, v, PRIMARY KEY (a, b)); "
      "INSERT INTO t VALUES ('b', 1, 'x'), ('a', 10, 'y'), ('a', 9, 'z')");
  EXPECT_EQ(lines("t"), "a\t9\tz\na\t10\ty\nb\t1\tx\n");
  run("CREATE TABLE u (v TEXT); INSERT INTO u VALUES ('b'), ('a'), ('c')");
  EXPECT_EQ(lines("u"), "b\na\nc\n") << "by rowid";
}

/// All lines, each batch by a reader of its own that begins where the last one ended.
std::string resumed_lines(tables::Database& database, const tables::Table& table) {
  const auto snapshot = database.snapshot({});
  tables::Cursor cursor;
  std::string lines;
  while (true) {
    const auto reader = snapshot->read(
        table, {.columns = names_of(table), .from = cursor, .without_expired = {}}, {});
    const auto batch = reader->next(1, 1000, {});
    if (!batch) return lines;
    lines += batch->lines;
    cursor = batch->end;
  }
}

TEST_F(TablesRead, goes_on_after_a_cursor) {
  run("CREATE TABLE simple (id INTEGER PRIMARY KEY); INSERT INTO simple VALUES (3), (-1), (2)");
  run("CREATE TABLE any_class (k NOT NULL PRIMARY KEY); INSERT INTO any_class VALUES (1), (1.5), "
      "('a,b'), ('x' || char(10)), (''), (x''), (x'00'), (CAST(x'ff00' AS TEXT)), (9e999)");
  run("CREATE TABLE pairs (a TEXT NOT NULL COLLATE NOCASE, b REAL NOT NULL, UNIQUE (a, b)); "
      "INSERT INTO pairs VALUES ('A', 0.1), ('a', 0.2), ('b', 1)");
  run("CREATE TABLE binary_index (a TEXT NOT NULL COLLATE NOCASE); "
      "CREATE UNIQUE INDEX i ON binary_index (a COLLATE BINARY); "
      "INSERT INTO binary_index VALUES ('a'), ('A'), ('b')");
  run("CREATE TABLE no_key (v); INSERT INTO no_key VALUES (2), (1), (1), (NULL)");
  const auto database = open_tables(file_);
  for (const char* name : {"simple", "any_class", "pairs", "binary_index", "no_key"}) {
    EXPECT_EQ(resumed_lines(*database, table_of(*database, name)), lines(name)) << name;
  }
  EXPECT_EQ(lines("binary_index"), "A\na\nb\n");
}

TEST_F(TablesRead, ends_batches_by_rows_and_bytes) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'aaaa'), "
      "(2, 'bbbb'), (3, 'c')");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  const auto snapshot = database->snapshot({});
  const auto by_rows = snapshot->read(table, columns({"v", "id"}), {});
  EXPECT_EQ(by_rows->next(2, 1000, {})->lines, "aaaa\t1\nbbbb\t2\n");
  EXPECT_EQ(by_rows->next(2, 1000, {})->rows, 1U);
  EXPECT_FALSE(by_rows->next(2, 1000, {}));
  EXPECT_FALSE(by_rows->next(2, 1000, {}));
  const auto by_bytes = snapshot->read(table, columns({"v"}), {});
  EXPECT_EQ(by_bytes->next(1000, 6, {})->lines, "aaaa\nbbbb\n");
  EXPECT_EQ(by_bytes->next(1000, 1, {})->lines, "c\n");
}

TEST_F(TablesRead, sees_one_moment) {
  run("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY); "
      "INSERT INTO t VALUES (1)");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  const auto snapshot = database->snapshot({});
  run("INSERT INTO t VALUES (2)");
  EXPECT_EQ(snapshot->count(table, {}), 1U);
  EXPECT_EQ(snapshot->read(table, columns({"id"}), {})->next(9, 99, {})->lines, "1\n");
  EXPECT_EQ(database->snapshot({})->count(table, {}), 2U);
}

TEST_F(TablesRead, leaves_out_rows_whose_time_has_passed) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, until DATETIME); INSERT INTO t VALUES "
      "(1, '2001-01-01 00:00:00'), (2, '2999-01-01'), (3, NULL), (4, 1000000000), "
      "(5, 32503680000), (6, 1000000000000), (7, 32503680000000), (8, 'never'), "
      "(9, '2001-01-01 00:00:00+00'), (10, 1000000000.5), (11, -9223372036854775808)");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  const auto snapshot = database->snapshot({});
  EXPECT_EQ(snapshot->count_expired(table, "until", {}), 5U);
  const auto reader =
      snapshot->read(table, {.columns = {"id"}, .from = {}, .without_expired = "until"}, {});
  EXPECT_EQ(reader->next(99, 999, {})->lines, "2\n3\n5\n7\n8\n11\n");
}

TEST_F(TablesRead, refuses_to_lose_a_row_whose_key_became_null) {
  run("CREATE TABLE t (id TEXT PRIMARY KEY); INSERT INTO t VALUES ('a')");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  run("INSERT INTO t VALUES (NULL)");
  const auto snapshot = database->snapshot({});
  const auto reader = snapshot->read(table, columns({"id"}), {});
  EXPECT_EQ(error_of([&] { reader->next(9, 99, {}); }).code(), Code::conflict);
}

TEST_F(TablesRead, leaves_the_file_as_it_was) {
  for (const char* mode : {"DELETE", "WAL"}) {
    std::filesystem::remove(file_);
    run(std::string("PRAGMA journal_mode = ") + mode +
        "; CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    const std::string before = content_of(file_);
    EXPECT_EQ(lines("t"), "1\n");
    EXPECT_EQ(content_of(file_), before) << mode;
    for (const char* ending : {"-wal", "-shm", "-journal"}) {
      EXPECT_FALSE(std::filesystem::exists(file_.string() + ending)) << mode << ending;
    }
  }
}

TEST_F(TablesRead, leaves_the_log_of_a_crashed_program_as_it_was) {
  const auto log = file_.string() + "-wal";
  Child crashed([&] {
    RawDatabase database(file_);
    database.run("PRAGMA journal_mode = WAL; CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    _exit(0);  // Without closing the file.
  });
  ASSERT_TRUE(crashed.succeeded());
  const std::string file_before = content_of(file_);
  const std::string log_before = content_of(log);
  ASSERT_FALSE(log_before.empty());
  EXPECT_EQ(lines("t"), "1\n");
  EXPECT_EQ(content_of(file_), file_before);
  EXPECT_EQ(content_of(log), log_before);
}

TEST_F(TablesRead, names_what_is_wrong_with_the_file) {
  const auto absent = error_of([&] { open_tables(file_); });
  EXPECT_EQ(absent.code(), Code::unavailable);
  EXPECT_NE(absent.message().find("there is no file"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_));
  std::ofstream(file_) << "this is a letter and no database, but long enough for a header of 100 "
                          "bytes, which a database begins with\n";
  const auto letter = error_of([&] { open_tables(file_); });
  EXPECT_EQ(letter.code(), Code::corrupt);
  EXPECT_NE(letter.message().find("not an SQLite database"), std::string::npos);
  EXPECT_EQ(error_of([&] { open_tables(directory_.path()); }).code(), Code::invalid_argument);
}

TEST_F(TablesRead, knows_a_file_by_another_name) {
  run("CREATE TABLE t (a)");
  const auto link = directory_.path() / "link.db";
  std::filesystem::create_symlink(file_, link);
  EXPECT_EQ(open_tables(file_)->info({}).identity, open_tables(link)->info({}).identity);
  EXPECT_EQ(open_tables(file_)->info({}).engine, "sqlite");
}

TEST_F(TablesRead, ends_when_the_time_is_up) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  const auto snapshot = database->snapshot({});
  const auto reader = snapshot->read(table, columns({"id"}), {});
  const Call over{.deadline = Deadline::after(std::chrono::nanoseconds(0)), .stop = {}};
  EXPECT_EQ(error_of([&] { reader->next(9, 99, over); }).code(), Code::timeout);
  EXPECT_EQ(reader->next(9, 99, {})->lines, "1\n");
}

TEST_F(TablesRead, tells_whether_others_have_written_since) {
  // Without a log nobody writes while the snapshot lives.
  run("PRAGMA journal_mode = WAL;"
      "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a')");
  const auto database = open_tables(file_);
  const auto table = table_of(*database, "t");
  const auto snapshot = database->snapshot({});
  snapshot->renew({});
  EXPECT_FALSE(snapshot->may_have_changed(table, 1, {}));
  run("UPDATE t SET name = 'b'");
  snapshot->renew({});
  EXPECT_TRUE(snapshot->may_have_changed(table, 1, {}));
  snapshot->renew({});
  EXPECT_FALSE(snapshot->may_have_changed(table, 1, {}));
}

}  // namespace
}  // namespace threadkeep::sqlite_test
