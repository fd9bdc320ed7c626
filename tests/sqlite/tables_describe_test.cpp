// SPDX-License-Identifier: Apache-2.0
// What a file says about the tables of an application.
#include <gtest/gtest.h>

#include "tables_support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::Identity;
using tables::Kind;
using Names = std::vector<std::string>;

class TablesDescribe : public ::testing::Test {
 protected:
  void run(const std::string& sql) { RawDatabase(file_).run(sql); }
  tables::Table table(const std::string& name) { return table_of(*open_tables(file_), name); }
  tables::Schema schema() { return open_tables(file_)->describe({}); }
  std::string left_out(const std::string& name) {
    for (const auto& each : schema().left_out) {
      if (each.name == name) return each.reason;
    }
    return {};
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "app.db";
};

TEST_F(TablesDescribe, takes_kinds_from_the_words_that_applications_write) {
  const std::vector<std::pair<std::string, Kind>> types = {
      {"BOOLEAN", Kind::boolean},
      {"tinyint(1)", Kind::boolean},
      {"INTEGER", Kind::integer},
      {"BIGINT", Kind::integer},
      {"TINYINT", Kind::integer},
      {"unsigned big int", Kind::integer},
      {"REAL", Kind::floating},
      {"DOUBLE PRECISION", Kind::floating},
      {"FLOAT", Kind::floating},
      {"DECIMAL(10,2)", Kind::numeric},
      {"NUMERIC", Kind::numeric},
      {"TEXT", Kind::text},
      {"VARCHAR(255)", Kind::text},
      {"CLOB", Kind::text},
      {"string", Kind::text},
      {"JSON", Kind::json},
      {"JSONB", Kind::json},
      {"BLOB", Kind::bytes},
      {"BYTEA", Kind::bytes},
      {"VARBINARY(16)", Kind::bytes},
      {"DATETIME", Kind::timestamp},
      {"TIMESTAMP(6)", Kind::timestamp},
      {"TIMESTAMP(3) WITH TIME ZONE", Kind::timestamp_with_zone},
      {"timestamptz", Kind::timestamp_with_zone},
      {"DATE", Kind::date},
      {"TIME", Kind::time},
      {"UUID", Kind::uuid},
      {"VECTOR(3)", Kind::vector},
      {"F32_BLOB(3)", Kind::vector},
      {"FLOAT[3]", Kind::vector},
      {"INTERVAL", Kind::other},
      {"TEXT[]", Kind::other},
      {"", Kind::other}};
  std::string columns;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string type = types[i].first.empty() ? "" : '"' + types[i].first + '"';
    columns.append(i == 0 ? "c" : ", c").append(std::to_string(i)).append(" " + type);
  }
  run("CREATE TABLE t (" + columns + ")");
  const auto described = table("t");
  for (std::size_t i = 0; i < types.size(); ++i) {
    EXPECT_EQ(described.columns[i].kind, types[i].second) << types[i].first;
    EXPECT_EQ(described.columns[i].type, types[i].first);
  }
}

TEST_F(TablesDescribe, knows_dimensions_of_vectors) {
  run("CREATE TABLE t (a VECTOR(3), b \"FLOAT[768]\", c VECTOR, d VARCHAR(3))");
  const auto columns = table("t").columns;
  EXPECT_EQ(columns[0].dimensions, 3);
  EXPECT_EQ(columns[1].dimensions, 768);
  EXPECT_EQ(columns[1].kind, Kind::vector);
  EXPECT_EQ(columns[2].dimensions, std::nullopt);
  EXPECT_EQ(columns[3].dimensions, std::nullopt);
}

TEST_F(TablesDescribe, finds_the_key) {
  run("CREATE TABLE rowid_key (id INTEGER PRIMARY KEY, a)");
  run("CREATE TABLE declared (a TEXT NOT NULL, b INT NOT NULL, c, PRIMARY KEY (b, a))");
  run("CREATE TABLE without_rowid (a TEXT PRIMARY KEY, b) WITHOUT ROWID");
  run("CREATE TABLE only_unique (a, b TEXT NOT NULL UNIQUE)");
  run("CREATE TABLE unique_with_null (a, b TEXT UNIQUE)");
  run("CREATE TABLE only_partial (a NOT NULL); CREATE UNIQUE INDEX i1 ON only_partial (a) "
      "WHERE a > 3");
  run("CREATE TABLE by_expression (a NOT NULL); CREATE UNIQUE INDEX i2 ON by_expression (a + 1)");
  run("CREATE TABLE descending (id INTEGER PRIMARY KEY DESC, a)");
  EXPECT_EQ(table("rowid_key").key, Names{"id"});
  EXPECT_EQ(table("declared").key, (Names{"b", "a"}));
  EXPECT_EQ(table("without_rowid").key, Names{"a"});
  EXPECT_EQ(table("only_unique").key, Names{"b"});
  EXPECT_EQ(table("unique_with_null").key, Names{});
  EXPECT_EQ(table("unique_with_null").other_keys, std::vector<Names>{{"b"}});
  EXPECT_EQ(table("only_partial").key, Names{});
  EXPECT_EQ(table("by_expression").key, Names{});
  EXPECT_EQ(table("descending").key, Names{"id"});
}

TEST_F(TablesDescribe, takes_a_primary_key_that_may_be_null_only_where_it_is_not) {
  run("CREATE TABLE t (id TEXT PRIMARY KEY, a); INSERT INTO t VALUES ('x', 1)");
  EXPECT_EQ(table("t").key, Names{"id"});
  EXPECT_FALSE(table("t").find("id")->nullable);
  run("INSERT INTO t VALUES (NULL, 2)");
  EXPECT_EQ(table("t").key, Names{});
  EXPECT_TRUE(table("t").find("id")->nullable);
}

TEST_F(TablesDescribe, tells_what_a_column_gets_by_itself) {
  run("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT DEFAULT 3, b INT NOT NULL,"
      " c INT AS (a + b), d INT AS (a * b) STORED)");
  run("CREATE TABLE u (id INTEGER PRIMARY KEY)");
  const auto columns = table("t").columns;
  ASSERT_EQ(columns.size(), 5U);
  EXPECT_EQ(columns[0].identity, Identity::by_default);
  EXPECT_TRUE(columns[0].has_default);
  EXPECT_FALSE(columns[0].nullable);
  EXPECT_TRUE(columns[1].has_default);
  EXPECT_FALSE(columns[2].has_default);
  EXPECT_FALSE(columns[2].nullable);
  EXPECT_TRUE(columns[3].generated);
  EXPECT_TRUE(columns[4].generated);
  EXPECT_EQ(table("u").columns[0].identity, Identity::none);
  EXPECT_TRUE(table("u").columns[0].has_default);
}

TEST_F(TablesDescribe, finds_references_with_their_real_names) {
  run("CREATE TABLE \"Team Name\" (\"Id\" INTEGER PRIMARY KEY, a, b, UNIQUE (a, b))");
  run("CREATE TABLE t (id INTEGER PRIMARY KEY, team REFERENCES \"team name\", x, y,"
      " parent INT REFERENCES t (ID), FOREIGN KEY (X, y) REFERENCES \"Team Name\" (a, B))");
  const auto keys = table("t").foreign_keys;
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].columns, Names{"team"});
  EXPECT_EQ(keys[0].target, "Team Name");
  EXPECT_EQ(keys[0].target_columns, Names{"Id"});
  EXPECT_EQ(keys[1].target, "t");
  EXPECT_EQ(keys[1].target_columns, Names{"id"});
  EXPECT_EQ(keys[2].columns, (Names{"x", "y"}));
  EXPECT_EQ(keys[2].target_columns, (Names{"a", "b"}));
  EXPECT_TRUE(keys[0].deferrable);
}

TEST_F(TablesDescribe, leaves_out_what_is_no_table_of_rows) {
  run("CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM t");
  run("CREATE VIRTUAL TABLE words USING fts5(text)");
  // As a file of sqlite-vec looks to a program that has not loaded it.
  run("CREATE TABLE vec_chunks (a); CREATE TABLE vec_vector_chunks00 (a)");
  run("PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'vec', 'vec', 0, "
      "'CREATE VIRTUAL TABLE vec USING vec0(embedding float[3])')");
  Names names;
  for (const auto& each : schema().tables) names.push_back(each.name);
  EXPECT_EQ(names, Names{"t"});
  EXPECT_EQ(left_out("v"), "a view");
  EXPECT_EQ(left_out("words"), "a virtual table: make and fill it again in the target");
  EXPECT_EQ(left_out("words_data"), "belongs to the virtual table \"words\"");
  EXPECT_EQ(left_out("vec"), "a virtual table: make and fill it again in the target");
  EXPECT_EQ(left_out("vec_chunks"), "belongs to the virtual table \"vec\"");
  EXPECT_EQ(left_out("vec_vector_chunks00"), "belongs to the virtual table \"vec\"");
}

TEST_F(TablesDescribe, leaves_out_the_tables_of_a_store_silently) {
  { open_store(file_).put(Draft("t", "1").value("a", "1", "x")); }
  run("CREATE TABLE app (a)");
  const auto described = schema();
  ASSERT_EQ(described.tables.size(), 1U);
  EXPECT_EQ(described.tables[0].name, "app");
  EXPECT_TRUE(described.left_out.empty());
}

TEST_F(TablesDescribe, takes_any_name) {
  run("CREATE TABLE \"a \"\"b\"\" ; DROP\" (\"select\" TEXT NOT NULL PRIMARY KEY, \"x \"\"y\" "
      "INT)");
  const auto described = table("a \"b\" ; DROP");
  EXPECT_EQ(described.key, Names{"select"});
  EXPECT_EQ(described.columns[1].name, "x \"y");
}

TEST_F(TablesDescribe, leaves_out_a_table_whose_rows_cannot_be_named) {
  run("CREATE TABLE t (rowid, oid, _rowid_)");
  EXPECT_EQ(left_out("t"), "has no key, and columns that hide its rowid");
}

}  // namespace
}  // namespace threadkeep::sqlite_test
