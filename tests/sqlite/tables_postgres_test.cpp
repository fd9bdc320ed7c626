// SPDX-License-Identifier: Apache-2.0
// Tables that go from a file to a server, and back.
#include <gtest/gtest.h>

#include "raw_database.hpp"
#include "tables_support.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::Counts;
using Lines = std::vector<std::string>;

class TablesPostgres : public ::testing::Test {
 protected:
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }

  TemporaryDirectory directory_;
  std::filesystem::path from_ = directory_.path() / "from.db";
  std::filesystem::path to_ = directory_.path() / "to.db";
  const std::string url_ = server().url(server().create_database());
  postgres_test::RawDatabase raw_{url_};
  const std::unique_ptr<tables::Database> postgres_ = tables::open_database(url_, {});
};

TEST_F(TablesPostgres, values_of_all_kinds_go_there_and_back) {
  const std::string create =
      "CREATE TABLE t (id INTEGER PRIMARY KEY, truth BOOLEAN, whole BIGINT, part DOUBLE PRECISION,"
      " price DECIMAL(12,4), words TEXT, json JSON, bytes BLOB, at TIMESTAMP, zoned TIMESTAMPTZ,"
      " day DATE, hour TIME, uuid UUID)";
  RawDatabase(from_).run(create);
  RawDatabase(to_).run(create);
  RawDatabase(from_).run(
      "INSERT INTO t VALUES (1, 1, 9223372036854775807, 0.1, 12.5, 'a' || char(9, 10, 13, 92) || "
      "'\\N', '{\"a\": [1, 2.50]}', x'00ff5c', '2026-01-02 03:04:05.678901', "
      "'2026-01-02 03:04:05+00:00', '2026-01-02', '03:04:05', "
      "'00010203-0405-0607-0809-0a0b0c0d0e0f'), "
      "(-2, 0, -9223372036854775808, 9e999, -0.0001, '', '[]', x'', '0001-01-01 00:00:00', "
      "'1969-12-31 23:59:59.5+00:00', '9999-12-31', '23:59:59.123456', NULL), "
      "(3, NULL, NULL, 1e-300, NULL, '\\.', NULL, NULL, NULL, NULL, NULL, NULL, NULL), "
      "(4, NULL, 0, 123456789012345678, 99999999.9999, '\\x41', '\"x\"', x'41', NULL, NULL, "
      "NULL, NULL, NULL)");
  raw_.run(
      "CREATE TABLE t (id bigint PRIMARY KEY, truth boolean, whole bigint, part double precision, "
      "price numeric(12,4), words text, json json, bytes bytea, at timestamp, zoned timestamptz, "
      "day date, hour time, uuid uuid)");
  const auto from = open_tables(from_);
  const auto to = open_tables(to_);
  EXPECT_EQ(copy_table(*from, *postgres_, "t"), (Counts{.inserted = 4}));
  EXPECT_EQ(copy_table(*from, *postgres_, "t"), (Counts{.unchanged = 4}));
  EXPECT_EQ(compare_tables(*from, *postgres_, "t").total(), 0U);
  EXPECT_EQ(copy_table(*postgres_, *to, "t"), (Counts{.inserted = 4}));
  EXPECT_EQ(copy_table(*postgres_, *to, "t"), (Counts{.unchanged = 4}));
  EXPECT_EQ(compare_tables(*postgres_, *to, "t").total(), 0U);
  const auto table = table_of(*from, "t");
  EXPECT_EQ(quoted_rows(to_, table), quoted_rows(from_, table));
}

TEST_F(TablesPostgres, values_of_unusual_storage_classes_become_those_of_the_kind) {
  RawDatabase(from_).run(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB, uuid UUID, vector VECTOR(3), "
      "at DATETIME, truth BOOLEAN, free, words TEXT); "
      "INSERT INTO t VALUES (1, 'hello', x'000102030405060708090a0b0c0d0e0f', "
      "x'0000803f000000c00000003f', 1700000000123, 'true', 5, x'6869')");
  raw_.run(
      "CREATE TABLE t (id bigint PRIMARY KEY, bytes bytea, uuid uuid, vector text, at timestamp, "
      "truth boolean, free integer, words text)");
  EXPECT_EQ(copy_table(*open_tables(from_), *postgres_, "t"), (Counts{.inserted = 1}));
  EXPECT_EQ(raw_.value("SELECT concat_ws(' | ', bytes, uuid, vector, at, truth, free, words) "
                       "FROM t"),
            "\\x68656c6c6f | 00010203-0405-0607-0809-0a0b0c0d0e0f | [1,-2,0.5] | "
            "2023-11-14 22:13:20.123 | t | 5 | \\x6869");
}

TEST_F(TablesPostgres, the_server_says_why_it_does_not_take_a_row) {
  RawDatabase(from_).run(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, words TEXT); "
      "INSERT INTO t VALUES (1, 'abc', 'x'), (2, 5, CAST(x'6100' AS TEXT)), "
      "(3, 6, CAST(x'61ff' AS TEXT)), (4, 7, 'y')");
  raw_.run("CREATE TABLE t (id bigint PRIMARY KEY, n bigint, words text)");
  const auto from = open_tables(from_);
  const auto snapshot = from->snapshot({});
  const auto table = table_of(*from, "t");
  const auto reader =
      snapshot->read(table, {.columns = names_of(table), .from = {}, .without_expired = {}}, {});
  const auto writer = postgres_->writer({});
  begin_run(*writer);
  tables::TableProgress progress;
  progress.table = "t";
  Lines codes;
  const auto on_reject = [&](const tables::Reject& reject) { codes.push_back(reject.code); };
  const auto batch = reader->next(10, 1000, {});
  EXPECT_EQ(writer->write(target_for(*from, *postgres_, "t"), *batch, run_id, progress, 10,
                          on_reject, {}),
            (Counts{.inserted = 1, .rejected = 3}));
  EXPECT_EQ(codes, (Lines{"22P02", "22021", "22021"}));
}

}  // namespace
}  // namespace threadkeep::sqlite_test
