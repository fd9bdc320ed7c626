// SPDX-License-Identifier: Apache-2.0
// What a run has written is taken back, on both engines.
#include <gtest/gtest.h>

#include <functional>

#include "raw_database.hpp"
#include "tables_support.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::sqlite_test {
namespace {

using tables::RunUndo;
using tables::StayingRow;
using tables::WrittenRows;
using Lines = std::vector<std::string>;

constexpr std::uint64_t all_rows = 1'000'000;

class TablesUndo : public ::testing::TestWithParam<bool> {
 protected:
  TablesUndo() {
    if (GetParam()) {
      const std::string url = testing::PostgresServer::shared().url(
          testing::PostgresServer::shared().create_database());
      raw_ = std::make_shared<postgres_test::RawDatabase>(url);
      run_ = [this](const std::string& sql) { return raw_->run(sql); };
      open_ = [url] { return tables::open_database(url, {}); };
    } else {
      const auto file = directory_.path() / "app.db";
      run_ = [file](const std::string& sql) {
        return RawDatabase(file).run("PRAGMA foreign_keys = ON; " + sql);
      };
      open_ = [file] { return open_tables(file); };
    }
    run_("CREATE TABLE owners (id integer PRIMARY KEY, name text, boss integer REFERENCES owners)");
    run_("CREATE TABLE things (id integer PRIMARY KEY, owner integer REFERENCES owners)");
    run_("CREATE TABLE words (word text)");
    database_ = open_();
  }

  tables::Table table(const std::string& name) { return table_of(*database_, name); }

  // Rows of all columns, into the table of this name.
  void write(const std::string& name, const std::string& lines, bool log = true) {
    auto to = target_for(*database_, *database_, name);
    to.log = log;
    tables::Batch batch{
        lines, static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')), "1"};
    const auto writer = database_->writer({});
    if (!writer->unfinished_run({})) begin_run(*writer);
    tables::TableProgress progress;
    progress.table = name;
    writer->write(to, batch, run_id, progress, 0, nullptr, {});
  }
  void write_all() {
    write("owners", "1\ta\t\\N\n2\tb\t1\n3\tc\t\\N\n4\td\t3\n");
    write("things", "10\t1\n11\t2\n12\t4\n");
    write("words", "x\nx\ny\n");
  }

  std::unique_ptr<RunUndo> undo() { return database_->undo(run_id, {}); }
  WrittenRows look(RunUndo& undo, const std::string& name, Lines* stays = nullptr) {
    return undo.look(table(name),
                     [&](const StayingRow& row) {
                       if (stays)
                         stays->push_back(row.key + (row.updated ? " updated" : " changed"));
                     },
                     {});
  }
  // All three tables, for whoever only wants to delete.
  void look_at_all(RunUndo& undo) {
    for (const char* name : {"words", "things", "owners"}) look(undo, name);
  }
  std::uint64_t remove_all(RunUndo& undo, const std::string& name, std::uint64_t at_once = 2) {
    std::uint64_t removed = 0;
    while (const auto rows = undo.remove(table(name), at_once, {})) removed += *rows;
    return removed;
  }
  Lines ids(const std::string& name) { return run_("SELECT id FROM " + name + " ORDER BY id"); }

  TemporaryDirectory directory_;
  std::shared_ptr<postgres_test::RawDatabase> raw_;
  std::function<Lines(const std::string&)> run_;
  std::function<std::unique_ptr<tables::Database>()> open_;
  std::unique_ptr<tables::Database> database_;
};

TEST_P(TablesUndo, rows_go_that_nobody_has_changed) {
  run_("INSERT INTO owners VALUES (3, 'was there', NULL), (9, 'of others', NULL)");
  write_all();
  run_("UPDATE owners SET name = 'changed' WHERE id = 4");
  run_("DELETE FROM things WHERE id = 12");
  run_("INSERT INTO words VALUES ('x'), ('z')");
  const auto run = undo();
  EXPECT_EQ(run->logged_tables({}), (Lines{"owners", "things", "words"}));
  EXPECT_EQ(look(*run, "things"), (WrittenRows{.unchanged = 2, .gone = 1}));
  Lines stays;
  EXPECT_EQ(look(*run, "owners", &stays),
            (WrittenRows{.unchanged = 2, .changed = 1, .updated = 1}));
  EXPECT_EQ(stays, (Lines{"3 updated", "4 changed"}));
  EXPECT_EQ(look(*run, "words").unchanged, 3U);
  EXPECT_EQ(ids("owners").size(), 5U) << "a look changes nothing";
  EXPECT_EQ(remove_all(*run, "things"), 2U);
  run->unlink(table("owners"), {"boss"}, {});
  EXPECT_EQ(remove_all(*run, "owners"), 2U);
  EXPECT_EQ(remove_all(*run, "words"), 3U);
  EXPECT_EQ(run_("SELECT id, name, boss FROM owners WHERE id <> 9 ORDER BY id").size(), 2U);
  EXPECT_EQ(ids("owners"), (Lines{"3", "4", "9"}));
  EXPECT_EQ(ids("things"), Lines{});
  // Of rows that are alike, any may go.
  EXPECT_EQ(run_("SELECT word FROM words ORDER BY word"), (Lines{"x", "z"}));
}

TEST_P(TablesUndo, a_row_that_the_run_wrote_twice_is_known_by_what_it_wrote_last) {
  write("owners", "1\ta\t\\N\n");
  write("owners", "1\tb\t\\N\n");
  EXPECT_EQ(look(*undo(), "owners"), (WrittenRows{.unchanged = 1}));
  run_("UPDATE owners SET name = 'a'");
  EXPECT_EQ(look(*undo(), "owners"), (WrittenRows{.changed = 1}));
}

TEST_P(TablesUndo, rows_that_others_refer_to_are_told) {
  write_all();
  run_("INSERT INTO things VALUES (50, 2), (51, 2)");
  run_("UPDATE things SET owner = 1 WHERE id = 11");
  const auto run = undo();
  look_at_all(*run);
  // Those of the run that go too are no obstacle; the one that was changed stays.
  const auto found = run->referrers(table("owners"), {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].table, "things");
  EXPECT_EQ(found[0].columns, Lines{"owner"});
  EXPECT_EQ(found[0].target, "owners");
  EXPECT_EQ(found[0].rows, 3U);
  EXPECT_TRUE(run->referrers(table("things"), {}).empty());
}

TEST_P(TablesUndo, rows_that_others_have_come_to_refer_to_stay) {
  write_all();
  const auto run = undo();
  look_at_all(*run);
  remove_all(*run, "things");
  run->unlink(table("owners"), {"boss"}, {});
  run_("INSERT INTO things VALUES (50, 3)");
  EXPECT_EQ(run->remove(table("owners"), 2, {}), 2U);
  try {
    run->remove(table("owners"), 2, {});
    ADD_FAILURE() << "was removed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
    EXPECT_NE(error.message().find("1 rows of things (owner) refer to rows of owners"),
              std::string::npos)
        << error.message();
  }
  EXPECT_EQ(ids("owners"), (Lines{"3", "4"}));
  // What was found stays found: it goes on once nothing stands against it.
  run_("DELETE FROM things WHERE id = 50");
  EXPECT_EQ(remove_all(*run, "owners"), 2U);
}

TEST_P(TablesUndo, rows_that_change_after_the_look_stay) {
  write_all();
  const auto run = undo();
  look_at_all(*run);
  run_("UPDATE things SET owner = 1 WHERE id = 11");
  run_("DELETE FROM things WHERE id = 12");
  EXPECT_EQ(remove_all(*run, "things"), 1U);
  EXPECT_EQ(ids("things"), Lines{"11"});
}

// At each place where a rollback may be killed, another one does the rest.
TEST_P(TablesUndo, another_one_does_the_rest) {
  const auto rest = [&] {
    const auto run = undo();
    look_at_all(*run);
    for (const char* name : {"things", "owners"}) {
      EXPECT_TRUE(run->referrers(table(name), {}).empty());
    }
    remove_all(*run, "words");
    remove_all(*run, "things");
    run->unlink(table("owners"), {"boss"}, {});
    remove_all(*run, "owners");
    EXPECT_EQ(look(*undo(), "owners"), (WrittenRows{.gone = 4}));
    run->forget({});
    EXPECT_THROW(undo(), Error);
  };
  const std::vector<std::function<void(RunUndo&)>> begun = {
      [&](RunUndo& run) { run.remove(table("things"), 1, {}); },
      [&](RunUndo& run) {
        remove_all(run, "things");
        run.unlink(table("owners"), {"boss"}, {});
      },
      [&](RunUndo& run) {
        remove_all(run, "things");
        run.unlink(table("owners"), {"boss"}, {});
        run.remove(table("owners"), 3, {});
      },
      [&](RunUndo& run) { run.remove(table("words"), 2, {}); },
  };
  for (std::size_t at = 0; at < begun.size(); ++at) {
    SCOPED_TRACE(at);
    write_all();
    {
      const auto killed = undo();
      look_at_all(*killed);
      begun[at](*killed);
    }
    rest();
    EXPECT_EQ(ids("owners"), Lines{});
    EXPECT_EQ(ids("things"), Lines{});
    EXPECT_EQ(run_("SELECT word FROM words"), Lines{});
  }
}

TEST_P(TablesUndo, a_group_goes_as_a_whole_or_not_at_all) {
  write_all();
  {
    const auto killed = undo();
    look_at_all(*killed);
    killed->begin_group({});
    remove_all(*killed, "things");
  }
  EXPECT_EQ(ids("things").size(), 3U);
  const auto run = undo();
  look_at_all(*run);
  run->begin_group({});
  remove_all(*run, "things");
  run->end_group({});
  EXPECT_EQ(ids("things"), Lines{});
}

TEST_P(TablesUndo, needs_a_run_and_its_log) {
  write("owners", "1\ta\t\\N\n", false);
  EXPECT_TRUE(undo()->logged_tables({}).empty());
  try {
    database_->undo("other", {});
    ADD_FAILURE() << "was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_NE(error.message().find("it knows " + run_id), std::string::npos) << error.message();
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, TablesUndo, ::testing::Bool(), [](const auto& is_postgres) {
  return is_postgres.param ? "postgres" : "sqlite";
});

}  // namespace
}  // namespace threadkeep::sqlite_test
