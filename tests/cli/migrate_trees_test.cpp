// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier copies tables that refer to themselves: deep, wide and in circles.
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <tuple>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep {
namespace {

constexpr int interrupted = 3;

/// A table of nodes that refer to other nodes.
struct Shape {
  std::string name;
  std::string parent;  ///< Of the node n, as SQL.
};

// By the key, all children come before their parents.
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {"deep", "n + 1"},
      {"wide", "10000"},
      {"circles", "CASE WHEN n % 10 = 0 THEN n - 9 ELSE n + 1 END"},
      {"bushy", "n + 1 + (10000 - n) / 2"},
      // A tree whose root is in a circle.
      {"hanging", "CASE WHEN n = 9999 THEN 9990 ELSE n + 1 END"}};
  return all;
}

enum class Link { nullable, deferrable, strict };

std::string name_of(Link link) {
  return link == Link::nullable ? "nullable" : link == Link::deferrable ? "deferrable" : "strict";
}

class Trees : public Cli {
 protected:
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }

  /// A database of either engine with an empty table of nodes.
  class Place {
   public:
    Place(const std::string& file, bool is_file, Link link)
        : file_(file), is_file_(is_file), database_(is_file ? "" : server().create_database()) {
      run("CREATE TABLE nodes (id int PRIMARY KEY, parent int" +
          std::string(link == Link::nullable ? "" : " NOT NULL") + " REFERENCES nodes (id)" +
          (link == Link::deferrable ? " DEFERRABLE" : "") + ", name text)");
    }

    std::string url() const { return is_file_ ? "sqlite:" + file_ : server().url(database_); }
    std::string tier() const { return is_file_ ? "local" : "standalone"; }
    std::string run(const std::string& sql) const {
      if (is_file_) return testing::run_program({"sqlite3", file_, sql});
      return server().run("SET ROLE threadkeep;\n" + sql, database_);
    }
    void fill(const Shape& shape, Link link) const {
      const std::string numbers = is_file_
                                      ? "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                                        "FROM s WHERE n < 10000) SELECT n FROM s)"
                                      : "generate_series(1, 10000) AS s (n)";
      const std::string root = link == Link::nullable ? "NULL" : "n";
      const std::string is_root = shape.name == "circles" ? "n > 20000" : "n = 10000";
      run("INSERT INTO nodes SELECT n, CASE WHEN " + is_root + " THEN " + root + " ELSE " +
          shape.parent + " END, 'node ' || n FROM " + numbers);
    }
    std::string rows() const { return run("SELECT id, parent, name FROM nodes ORDER BY id"); }
    std::string count() const { return run("SELECT count(*) FROM nodes"); }
    std::string orphans() const {
      return run(
          "SELECT count(*) FROM nodes AS c WHERE parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
          "nodes AS p WHERE p.id = c.parent)");
    }

   private:
    const std::string file_;
    const bool is_file_;
    const std::string database_;
  };

  Place place(const std::string& name, bool is_file, Link link) const {
    return {directory.path() / (name + ".db"), is_file, link};
  }
  static Arguments arguments(const Place& source, const Place& target, const Arguments& more) {
    Arguments all = {"migrate-tier", "--from",     source.url(),   "--to", target.tier(),
                     "--target-url", target.url(), "--batch-rows", "700"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

using TreeCase = std::tuple<bool, bool, Link>;
class EachTree : public Trees, public ::testing::WithParamInterface<TreeCase> {};

TEST_P(EachTree, is_copied_as_it_is) {
  const auto [from_file, to_file, link] = GetParam();
  for (const auto& shape : std::span(shapes()).first(3)) {
    SCOPED_TRACE(shape.name);
    const auto source = place("source-" + shape.name, from_file, link);
    const auto target = place("target-" + shape.name, to_file, link);
    source.fill(shape, link);
    const auto dry = run(arguments(source, target, {"--dry-run"}), done);
    const std::string choice = link == Link::nullable ? "is NULL at first and set in a second pass"
                               : link == Link::deferrable || to_file
                                   ? "but its constraint is deferrable; it is copied in one "
                                     "transaction"
                                   : "it is copied in one transaction, parents before children";
    EXPECT_TRUE(contains(dry, choice)) << dry;
    run(arguments(source, target, {"--yes"}), done);
    EXPECT_EQ(target.rows(), source.rows());
    EXPECT_EQ(target.orphans(), "0\n");
  }
}

std::string name_of_case(const ::testing::TestParamInfo<TreeCase>& each) {
  const auto [from_file, to_file, link] = each.param;
  return std::string(from_file ? "file" : "postgres") + "_to_" + (to_file ? "file_" : "postgres_") +
         name_of(link);
}

INSTANTIATE_TEST_SUITE_P(Engines, EachTree,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Values(Link::nullable, Link::deferrable,
                                                              Link::strict)),
                         name_of_case);

// What has no order of parents and children is one statement, and only that.
TEST_F(Trees, are_written_in_batches_level_by_level) {
  for (const auto& shape : shapes()) {
    SCOPED_TRACE(shape.name);
    const auto source = place("source-" + shape.name, true, Link::strict);
    const auto target = place("target", false, Link::strict);
    source.fill(shape, Link::strict);
    target.run(
        "CREATE SCHEMA seen; CREATE TABLE seen.statements (rows int);"
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen.statements SELECT count(*) FROM added; RETURN NULL; END $$;"
        "CREATE TRIGGER see AFTER INSERT ON nodes REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION see()");
    run(arguments(source, target, {"--yes"}), done);
    const bool has_circle = shape.name == "circles" || shape.name == "hanging";
    EXPECT_EQ(target.run("SELECT sum(rows) FROM seen.statements"), "10000\n");
    EXPECT_EQ(target.run("SELECT max(rows) FROM seen.statements"),
              shape.name == "circles"   ? "10000\n"
              : shape.name == "hanging" ? "9999\n"
                                        : "700\n");
    EXPECT_EQ(target.run("SELECT count(*) FROM seen.statements") == "15\n", !has_circle);
  }
}

// A row that refers to nothing is rejected, and what is below it.
TEST_F(Trees, tell_of_rows_that_refer_to_nothing) {
  const auto source = place("source", true, Link::strict);
  const auto target = place("target", false, Link::strict);
  source.run(
      "INSERT INTO nodes VALUES (1, 1, 'root'), (2, 1, 'leaf'), (3, 99, 'lost'),"
      " (4, 3, 'below the lost one')");
  const Arguments more = {"--yes", "--max-errors", "2", "--reject-file",
                          directory.path() / "rejects"};
  run(arguments(source, target, more), failed);
  EXPECT_EQ(target.run("SELECT id FROM nodes ORDER BY id"), "1\n2\n");
}

class CutTree : public Trees, public ::testing::WithParamInterface<Link> {};

TEST_P(CutTree, leaves_no_orphan_and_goes_on) {
  const auto source = place("source", true, GetParam());
  const auto target = place("target", false, GetParam());
  source.fill(shapes().front(), GetParam());
  const bool at_once = GetParam() != Link::nullable;
  // All of it is more than twice as much: the last cut is one of the second pass.
  for (const int bytes : {60'000, 100'000, 60'000}) {
    testing::TcpProxy proxy(server().port());
    proxy.cut_after(testing::TcpProxy::Direction::to_server, bytes);
    auto command = arguments(source, target, {"--yes"});
    command[6] = proxy.in_front_of(target.url());
    run(command, interrupted);
    EXPECT_EQ(target.orphans(), "0\n");
    EXPECT_EQ(target.count() == "0\n", at_once);
  }
  EXPECT_TRUE(contains(run(arguments(source, target, {"--yes"}), done), "Goes on with run"));
  EXPECT_EQ(target.rows(), source.rows());
}

INSTANTIATE_TEST_SUITE_P(Links, CutTree,
                         ::testing::Values(Link::nullable, Link::deferrable, Link::strict),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace threadkeep
