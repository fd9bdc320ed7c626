// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

class TablesTypesTest : public TablesTest {
 protected:
  /// A table with one column in both, these values in the source, copied: the same text, and
  /// nothing left to do for a second copy.
  void expect_copied(const std::string& type, const std::string& values) {
    SCOPED_TRACE(type);
    const std::string table = "t" + std::to_string(++tables_);
    in_both("CREATE TABLE " + table + " (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v " +
            type + ")");
    source.run("INSERT INTO " + table + " (v) SELECT v FROM (VALUES " + values +
               ", (NULL)) AS given (v)");
    const Target wanted = target_for(table);
    const auto batches = read(wanted);
    const Counts counts = write(wanted, batches);
    const std::string all =
        "SET timezone = 'Asia/Kolkata'; SET extra_float_digits = 3; SELECT id, v::text FROM " +
        table + " ORDER BY id";
    EXPECT_EQ(target.run(all), source.run(all));
    EXPECT_GT(counts.inserted, 1U);
    EXPECT_EQ(counts.inserted, counts.rows());
    EXPECT_EQ(write(wanted, batches), (Counts{.unchanged = counts.inserted}));
    EXPECT_EQ(compare(wanted, batches).total(), 0U);
  }

 private:
  int tables_ = 0;
};

TEST_F(TablesTypesTest, Numbers) {
  expect_copied("boolean", "(true), (false)");
  expect_copied("smallint", "('-32768'::smallint), (32767)");
  expect_copied("integer", "(-2147483648), (2147483647)");
  expect_copied("bigint", "(-9223372036854775808), (9223372036854775807)");
  expect_copied("real", "('0.1'::real), ('1e-45'), ('NaN'), ('Infinity'), ('-Infinity'), ('-0')");
  expect_copied("double precision",
                "('0.1'::float8), ('1.7976931348623157e308'), ('5e-324'), ('NaN'), ('-Infinity')");
  expect_copied("numeric",
                "('NaN'::numeric), ('Infinity'), ('-Infinity'), ('1.00'), (repeat('9', "
                "1000)::numeric), ('1e-300')");
  expect_copied("numeric(10,2)", "(1.005), (99999999.99)");
  expect_copied("money", "('$1,234.56'::money), ('-$0.01')");
  expect_copied("oid", "(4294967295::oid)");
  expect_copied("integer[]", "('{}'::integer[]), ('{1,NULL,3}'), ('[2:3][0:1]={{1,2},{3,4}}')");
}

TEST_F(TablesTypesTest, Texts) {
  const std::string values =
      "(''), ('\\N'), ('\\.'), (E'\\\\'), (E'a\\tb'), (E'a\\nb'), (E'\\r\\n'), "
      "(E'\\b\\f\\v\\x01'), "
      "('\"'), ('{}'), (' '), ('NULL'), (U&'\\+01F600'), (E'\\\\x41'), (E'\\\\n')";
  expect_copied("text", values);
  expect_copied("varchar", values);
  expect_copied("name", "('n'::name), (repeat('x', 63)::name)");
  expect_copied("char(5)", "('a'::char(5)), ('abcde')");
  expect_copied("\"char\"", "('a'::\"char\"), ('')");
  expect_copied("text[]", "(ARRAY['a,b', '\"', E'\\\\', E'\\t', 'NULL', NULL, '']), ('{}')");
  expect_copied("bytea",
                "(''::bytea), ('\\x00ff5c0a09'), (convert_to(repeat('x', 100000), 'UTF8'))");
  expect_copied("uuid", "('00000000-0000-0000-0000-000000000000'::uuid)");
  expect_copied("tsvector", "(to_tsvector('simple', 'it''s a \\ b')), (''::tsvector)");
  expect_copied("tsquery", "('a & (b | !c)'::tsquery)");
  expect_copied("xml", "('<a b=\"1\">&lt;</a>'::xml), ('text <b/>'::xml)");
  expect_copied(
      "json",
      "('{\"b\": 1,  \"a\": [1.0, null], \"a\": \"\\u00e9\\n\"}'::json), ('null'), ('1e400')");
  expect_copied("jsonb",
                "('{\"b\": 1, \"a\": [1.0, null, \"\\t\\\\\"]}'::jsonb), ('null'), ('\"x\"')");
  expect_copied("jsonpath", "('$.a[*] ? (@ > 1)'::jsonpath)");
}

TEST_F(TablesTypesTest, Times) {
  expect_copied("date", "('infinity'::date), ('-infinity'), ('0044-03-15 BC'), ('9999-12-31')");
  expect_copied("time", "('24:00:00'::time), ('00:00:00.000001')");
  expect_copied("timetz", "('12:00:00+05:30'::timetz), ('06:30:00+00')");
  expect_copied(
      "timestamp",
      "('infinity'::timestamp), ('-infinity'), ('2024-02-29 23:59:59.999999'), ('0001-01-01 BC')");
  expect_copied("timestamp(0)", "('2024-01-01 00:00:00.5'::timestamp)");
  expect_copied("timestamptz",
                "('infinity'::timestamptz), ('-infinity'), ('2024-07-01 12:00:00+02'), "
                "('294276-12-31 23:59:59+00')");
  expect_copied("interval",
                "('1 year -2 mons +3 days -04:05:06.789'::interval), ('1 day'), ('24 hours'), ('-1 "
                "day +23:00')");
}

TEST_F(TablesTypesTest, WhatOnlyPostgresHas) {
  in_both(
      "CREATE TYPE mood AS ENUM ('good', 'so, so', '\"bad\"');"
      "CREATE TYPE pair AS (a integer, b text, c json);"
      "CREATE DOMAIN positive AS integer CHECK (VALUE > 0);"
      "CREATE DOMAIN moods AS mood[];"
      "CREATE TYPE float_range AS RANGE (subtype = float8)");
  expect_copied("mood", "('good'::mood), ('so, so'), ('\"bad\"')");
  expect_copied("mood[]", "(ARRAY['good', 'so, so']::mood[])");
  expect_copied("moods", "(ARRAY['\"bad\"']::moods)");
  expect_copied("pair",
                "(ROW(1, E'a,\\t\"b\\\\', '{\"x\" : 1}')::pair), (ROW(NULL, NULL, NULL)::pair), "
                "(ROW(1, '', NULL)::pair)");
  expect_copied("pair[]", "(ARRAY[ROW(1, 'x', '1')::pair])");
  expect_copied("positive", "(1::positive), (2147483647)");
  expect_copied("int4range", "('[1,5)'::int4range), ('empty'), ('(,)')");
  expect_copied("int8multirange", "('{[1,2), [5,)}'::int8multirange), ('{}')");
  expect_copied("tstzrange", "('[2024-01-01 00:00+02, infinity]'::tstzrange), ('[,)')");
  expect_copied("float_range", "('[0.1,NaN]'::float_range)");
  expect_copied("inet", "('10.0.0.1/8'::inet), ('::1'), ('fe80::1/64')");
  expect_copied("cidr", "('10.0.0.0/8'::cidr)");
  expect_copied("macaddr", "('08:00:2b:01:02:03'::macaddr)");
  expect_copied("macaddr8", "('08:00:2b:01:02:03:04:05'::macaddr8)");
  expect_copied("bit(5)", "(B'10101')");
  expect_copied("bit varying", "(B''), (B'1')");
  expect_copied("point", "('(1.5,-2)'::point), ('(NaN,Infinity)')");
  expect_copied("box", "('(1,1),(0,0)'::box)");
  expect_copied("path", "('[(0,0),(1,1)]'::path), ('((0,0),(1,1))')");
  expect_copied("circle", "('<(1,2),3>'::circle)");
  expect_copied("polygon", "('((0,0),(1,1),(2,0))'::polygon)");
  expect_copied("pg_lsn", "('16/B374D848'::pg_lsn)");
  expect_copied("regclass", "('pg_class'::regclass)");
}

TEST_F(TablesTypesTest, GeneratedAndIdentityColumns) {
  in_both(
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
      "  number integer GENERATED BY DEFAULT AS IDENTITY, n integer, "
      "  twice integer GENERATED ALWAYS AS (n * 2) STORED, serial serial)");
  source.run(
      "INSERT INTO t (n) SELECT n FROM generate_series(1, 5) AS n; DELETE FROM t WHERE id = 2");
  EXPECT_EQ(copy("t").inserted, 4U);
  const std::string all = "SELECT * FROM t ORDER BY id";
  EXPECT_EQ(target.run(all), source.run(all));
  source.run("UPDATE t SET n = 10, number = 20 WHERE id = 3");
  EXPECT_EQ(copy("t"), (Counts{.updated = 1, .unchanged = 3}));
  EXPECT_EQ(target.run(all), source.run(all));
}

// What is a different value, though `=` of the type says that it is the same.
TEST_F(TablesTypesTest, ValuesThatAreCalledEqualAreUpdated) {
  server().run("CREATE EXTENSION citext", source.value("SELECT current_database()"));
  server().run("CREATE EXTENSION citext", target.value("SELECT current_database()"));
  in_both(
      "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
      "CREATE TABLE t (id integer PRIMARY KEY, a interval, b citext, c text COLLATE nocase, d "
      "json)");
  target.run("INSERT INTO t VALUES (1, '1 day', 'a', 'b', '{\"a\": 1}')");
  source.run("INSERT INTO t VALUES (1, '24 hours', 'A', 'B', '{\"a\":1}')");
  EXPECT_EQ(compare("t").different, 1U);
  EXPECT_EQ(compare("t").examples, (std::vector<std::string>{"different (1): a, b, c, d"}));
  EXPECT_EQ(copy("t"), (Counts{.updated = 1}));
  EXPECT_EQ(target.value("SELECT a || b::text || c || d FROM t"), "24:00:00AB{\"a\":1}");
}

TEST_F(TablesTypesTest, WhatTheTargetRoundsIsUnchangedTheSecondTime) {
  source.run(
      "CREATE TABLE t (id integer PRIMARY KEY, a numeric, b timestamptz, c float8, d varchar)");
  target.run(
      "CREATE TABLE t (id integer PRIMARY KEY, a numeric(10,2), b timestamptz(0), c float4, d "
      "char(9))");
  source.run("INSERT INTO t VALUES (1, 1.006, '2024-01-01 00:00:00.7', 0.1234567890123, 'x')");
  EXPECT_EQ(copy("t"), (Counts{.inserted = 1}));
  EXPECT_EQ(copy("t"), (Counts{.unchanged = 1}));
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesTypesTest, SettingsOfRolesAndDatabasesDoNotMatter) {
  in_both(
      "CREATE TABLE t (id integer PRIMARY KEY, a date, b timestamptz, c interval, d bytea, e "
      "float8, f money)");
  source.run(
      "INSERT INTO t VALUES (1, '2024-03-04', '2024-03-04 05:06:07+00', '-1 day 2 hours', "
      "'\\x5c00', 0.1::float8 + 0.2, 1.5)");
  for (auto* database : {&source, &target}) {
    const bool from = database == &source;
    const std::string name = database->value("SELECT current_database()");
    database->run("ALTER DATABASE " + name +
                  " SET datestyle = " + (from ? "'SQL, DMY'" : "'German'"));
    database->run("ALTER DATABASE " + name +
                  " SET intervalstyle = " + (from ? "sql_standard" : "iso_8601"));
    database->run("ALTER DATABASE " + name +
                  " SET timezone = " + (from ? "'Asia/Kolkata'" : "'America/Chicago'"));
    database->run("ALTER DATABASE " + name + " SET bytea_output = " + (from ? "escape" : "hex"));
    database->run("ALTER DATABASE " + name + " SET extra_float_digits = " + (from ? "-5" : "0"));
  }
  EXPECT_EQ(read(target_for("t")).at(0).lines,
            "1\t2024-03-04\t2024-03-04 05:06:07+00\t-1 days "
            "+02:00:00\t\\\\x5c00\t0.30000000000000004\t$1.50\n");
  EXPECT_EQ(copy("t").inserted, 1U);
  EXPECT_EQ(compare("t").total(), 0U);
}

TEST_F(TablesTypesTest, NamesThatNeedQuotes) {
  const std::string longest(63, 'n');
  const std::string names =
      "CREATE TABLE \"My \"\"Table\"\"\" (\"Select\" integer, \"a b\" text, \"{key}\" text, \"ü\" "
      "text, "
      "\"x'y\" text, \"\\\" text, \"" +
      longest + "\" text, PRIMARY KEY (\"Select\", \"a b\"))";
  in_both(names);
  source.run(
      "INSERT INTO \"My \"\"Table\"\"\" SELECT n, 'k', 'v', 'w', 'x', 'y', 'z' FROM "
      "generate_series(1, 5) AS n");
  const std::string name = "My \"Table\"";
  EXPECT_EQ(copy(name).inserted, 5U);
  source.run("UPDATE \"My \"\"Table\"\"\" SET \"x'y\" = '' , \"{key}\" = 'n' WHERE \"Select\" = 3");
  EXPECT_EQ(compare(name).examples, (std::vector<std::string>{"different (3, k): {key}, x'y"}));
  EXPECT_EQ(copy(name), (Counts{.updated = 1, .unchanged = 4}));
  EXPECT_EQ(compare(name).total(), 0U);
  const Target wanted = target_for(name);
  EXPECT_EQ(read(wanted, 10, read(wanted, 2).at(0).end).at(0).rows, 3U);
}

}  // namespace
}  // namespace threadkeep::postgres_test
