// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using Strings = std::vector<std::string>;

class TablesRejectTest : public TablesTest {
 protected:
  Strings rejected() {
    Strings out;
    for (const Reject& each : rejects) {
      out.push_back(each.line.substr(0, each.line.find('\t')) + " " + each.code);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

TEST_F(TablesRejectTest, RowsThatDoNotFitAreFoundAndTheOthersWritten) {
  source.run("CREATE TABLE t (id bigint PRIMARY KEY, name text, age text, mail text)");
  target.run(
      "CREATE TABLE t (id integer PRIMARY KEY, name varchar(20) NOT NULL, "
      "age integer CHECK (age < 200), mail text CONSTRAINT one_mail UNIQUE)");
  source.run("INSERT INTO t SELECT n, 'name ' || n, 1, 'm' || n FROM generate_series(1, 200) AS n");
  source.run(
      "UPDATE t SET name = repeat('n', 21) WHERE id = 17; UPDATE t SET name = NULL WHERE id = 18;"
      "UPDATE t SET age = 'old' WHERE id = 99; UPDATE t SET age = '300' WHERE id = 100;"
      "UPDATE t SET mail = 'm1' WHERE id = 150; UPDATE t SET id = 5000000000 WHERE id = 200");
  const Counts counts = copy("t", 6);
  EXPECT_EQ(counts, (Counts{.inserted = 194, .rejected = 6}));
  EXPECT_EQ(rejected(), (Strings{"100 23514", "150 23505", "17 22001", "18 23502",
                                 "5000000000 22003", "99 22P02"}));
  const auto find = [&](const std::string& code) {
    return *std::find_if(rejects.begin(), rejects.end(),
                         [&](const Reject& each) { return each.code == code; });
  };
  EXPECT_EQ(find("23505").line, "150\tname 150\t1\tm1");
  EXPECT_EQ(find("23505").table, "t");
  EXPECT_TRUE(contains(find("23505").message, "one_mail")) << find("23505").message;
  EXPECT_TRUE(contains(find("22P02").message, "; column age: \"old\"")) << find("22P02").message;
  EXPECT_FALSE(contains(find("22P02").message, "stage")) << find("22P02").message;
  EXPECT_EQ(target.value("SELECT count(*) FROM t"), "194");
  EXPECT_EQ(writer().unfinished_run(Call())->tables.at(0).counts, counts);
  EXPECT_EQ(compare("t").missing, 6U);
}

// Looked for one by one they take minutes, and the test its limit.
TEST_F(TablesRejectTest, ManyRowsThatWantWhatOthersHaveAreFoundAtOnce) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, mail text UNIQUE, n integer)");
  source.run("INSERT INTO t SELECT n, 'm' || n, n FROM generate_series(1, 20000) AS n");
  target.run(
      "INSERT INTO t SELECT 100000 + n, 'm' || n, 0 FROM generate_series(1, 19990) AS n;"
      "INSERT INTO t VALUES (19995, 'm19996', 0), (19996, 'm19995', 0)");
  Target wanted = target_for("t");
  EXPECT_EQ(error_of([&] { write(wanted, read(wanted, 20'000)); }).code(), Code::invalid_argument);
  rejects.clear();
  EXPECT_EQ(write(wanted, read(wanted, 20'000), 19'992),
            (Counts{.inserted = 8, .rejected = 19'992}))
      << "two would have to change places";
  EXPECT_EQ(rejects.front().line, "1\tm1\t1");
  EXPECT_EQ(rejects.front().message,
            "the value of \"mail\" is that of a row of the target with another key");
}

TEST_F(TablesRejectTest, OneTooManyAndNothingOfTheBatchIsWritten) {
  source.run("CREATE TABLE t (id integer PRIMARY KEY, n text)");
  target.run("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  source.run("INSERT INTO t SELECT n, n FROM generate_series(1, 100) AS n");
  source.run("UPDATE t SET n = 'secret' WHERE id IN (40, 80)");
  const Error error = error_of([&] { copy("t", 1); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_TRUE(contains(error.message(), "\"t\"")) << error.message();
  EXPECT_FALSE(contains(error.message(), "secret")) << error.message();
  EXPECT_EQ(rejects.size(), 2U);
  EXPECT_EQ(target.value("SELECT count(*) FROM t"), "0");
  EXPECT_TRUE(writer().unfinished_run(Call())->tables.empty());
  rejects.clear();
  EXPECT_EQ(copy("t", 2), (Counts{.inserted = 98, .rejected = 2}));
}

TEST_F(TablesRejectTest, ARowIsRejectedBeforeItsBatchIsCommitted) {
  source.run("CREATE TABLE t (id integer PRIMARY KEY, n text)");
  target.run("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  source.run("INSERT INTO t VALUES (1, '1'), (2, 'x')");
  const Target wanted = target_for("t");
  TableProgress progress;
  progress.table = "t";
  std::string seen;
  writer().write(
      wanted, read(wanted).at(0), run_id, progress, 1,
      [&](const Reject&) {
        seen = target.value("SELECT count(*) FROM threadkeep_tier_tables") + " " +
               target.value("SELECT count(*) FROM t");
      },
      Call());
  EXPECT_EQ(seen, "0 0");
  EXPECT_EQ(target.value("SELECT rejected FROM threadkeep_tier_tables"), "1");
}

TEST_F(TablesRejectTest, TheSecondRowWithAKeyIsRejected) {
  target.run("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  source.run("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  const Target wanted = target_for("t");
  const Batch batch{.lines = "1\t10\n2\t20\n1\t11\n3\t30\n1\t12\n", .rows = 5, .end = "=3"};
  EXPECT_EQ(write(wanted, {batch}, 2), (Counts{.inserted = 3, .rejected = 2}));
  EXPECT_EQ(rejected(), (Strings{"1 21000", "1 21000"}));
  EXPECT_EQ(target.run("SELECT * FROM t ORDER BY id"), (Rows{"1|10", "2|20", "3|30"}));
}

TEST_F(TablesRejectTest, RowsThatPointToNothingAreRejected) {
  in_both(
      "CREATE TABLE owners (id integer PRIMARY KEY);"
      "CREATE TABLE things (id integer PRIMARY KEY, owner integer)");
  target.run(
      "ALTER TABLE things ADD FOREIGN KEY (owner) REFERENCES owners DEFERRABLE INITIALLY DEFERRED");
  target.run("INSERT INTO owners VALUES (1)");
  source.run(
      "INSERT INTO things SELECT n, CASE n WHEN 7 THEN 2 ELSE 1 END FROM generate_series(1, 30) AS "
      "n");
  EXPECT_EQ(copy("things", 1), (Counts{.inserted = 29, .rejected = 1}));
  EXPECT_EQ(rejected(), Strings{"7 23503"});
}

TEST_F(TablesRejectTest, ABadRowDoesNotTakeThoseAlongThatPointToOthers) {
  in_both(
      "CREATE TABLE tree (id integer PRIMARY KEY, up integer NOT NULL REFERENCES tree, name text)");
  target.run("ALTER TABLE tree ADD CHECK (name <> 'bad')");
  // Each row points to the next one.
  source.run(
      "INSERT INTO tree SELECT n, least(n + 1, 64), 'good' FROM generate_series(1, 64) AS n;"
      "UPDATE tree SET name = 'bad' WHERE id = 10");
  EXPECT_EQ(copy("tree", 10), (Counts{.inserted = 54, .rejected = 10}));
  EXPECT_EQ(rejects.size(), 10U);
  EXPECT_EQ(target.value("SELECT min(id) FROM tree"), "11");
}

TEST_F(TablesRejectTest, ATriggerMayRefuseOrWithholdRows) {
  in_both("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  target.run(
      "CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF NEW.n = 1 THEN RETURN NULL; END IF; "
      "IF NEW.n = 2 THEN RAISE EXCEPTION 'not two'; END IF; RETURN NEW; END $$;"
      "CREATE TRIGGER judge BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION judge();"
      "INSERT INTO t VALUES (100, 3)");
  source.run(
      "INSERT INTO t SELECT n, n % 3 FROM generate_series(1, 9) AS n; INSERT INTO t VALUES (100, "
      "1)");
  EXPECT_EQ(copy("t", 3), (Counts{.inserted = 3, .rejected = 3}));
  EXPECT_EQ(target.value("SELECT string_agg(id::text, ',' ORDER BY id) FROM t"), "3,6,9,100");
  EXPECT_EQ(compare("t").missing, 6U);
  EXPECT_EQ(compare("t").different, 1U);
}

TEST_F(TablesRejectTest, ManyBadRowsAmongMany) {
  source.run("CREATE TABLE t (id integer PRIMARY KEY, n integer)");
  target.run("CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n <> 0))");
  source.run("INSERT INTO t SELECT n, n % 20 FROM generate_series(1, 2000) AS n");
  EXPECT_EQ(copy("t", 1000), (Counts{.inserted = 1900, .rejected = 100}));
}

}  // namespace
}  // namespace threadkeep::postgres_test
