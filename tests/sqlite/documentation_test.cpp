// SPDX-License-Identifier: Apache-2.0
// Every SQL command in the document of the format works on a store that has data.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support.hpp"
#include "threadkeep/journal.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/session_store.hpp"

namespace threadkeep::sqlite_test {
namespace {

std::vector<std::string> sql_blocks(const std::string& document) {
  std::vector<std::string> blocks;
  std::ifstream stream(document);
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    if (line == "```sql") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

// An entry that waits, and one that was set aside.
void fill_journal(const std::filesystem::path& file) {
  const auto store = Registry::builtin().open("sqlite:" + file.string());
  Journal& journal = *store->journal();
  journal.take(Call());
  const JournalRecord record{"my-thread", "put", Bytes(std::string("body"))};
  const auto first = journal.append(std::vector{record, record}, Call());
  journal.set_aside(first, "refused", Call());
}

void fill(const std::filesystem::path& file) {
  fill_journal(file);
  Checkpointer store = open_store(file);
  store.put_thread({"my-thread", R"({"owner": "me"})"});
  store.put(
      Draft("my-thread", "1").value("messages", "1", "x").metadata(R"({"run_id": "my-run"})"));
  store.put(Draft("my-thread", "2").parent("1").carries("messages", "1").inlined("n", "2", "7"));
  store.put_writes({"my-thread", "", "2", {pending("task", 0, "messages", "y")}});
  SessionStore sessions(store.store());
  const auto scope = StateScope::of_thread("my-thread");
  sessions.append({"my-thread", "", {{"a", "user", "\"hi\"", "{}"}}, {}, "my-operation", {}});
  sessions.put_state(scope, "k", "1");
  store.put(Draft("deleted", "1"));
  store.delete_thread("deleted");
  const auto retention = retention::open_retention(*store.store());
  retention->install(Call());
  retention->pin("my-thread", Call());
  retention->sweep({}, Call());
}

TEST(Documentation, of_the_format_has_sql_that_works) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "store.db";
  fill(file);
  const auto blocks = sql_blocks(THREADKEEP_SQLITE_DOCUMENT);
  ASSERT_GE(blocks.size(), 8u) << "is " << THREADKEEP_SQLITE_DOCUMENT << " the right file?";
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  RawDatabase raw(file);
  for (const std::string& block : blocks) {
    SCOPED_TRACE(block);
    std::vector<std::string> rows;
    EXPECT_NO_THROW(rows = raw.run(block));
    if (block.find("SELECT") != std::string::npos) {
      EXPECT_FALSE(rows.empty());
    }
  }
  EXPECT_TRUE(open_store(directory.path() / "backup.db").get({"my-thread", "", "2", {}}));
  std::filesystem::current_path(before);
}

TEST(Documentation, of_outages_has_sql_that_shows_and_puts_back_what_was_set_aside) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "journal.db";
  fill_journal(file);
  const auto store = Registry::builtin().open("sqlite:" + file.string());
  EXPECT_EQ(store->examine(Call()).back().subject, "fallback_set_aside");
  const auto blocks = sql_blocks(THREADKEEP_OUTAGES_DOCUMENT);
  ASSERT_EQ(blocks.size(), 3u);
  RawDatabase raw(file);
  for (const std::string& block : blocks) {
    SCOPED_TRACE(block);
    std::vector<std::string> rows;
    EXPECT_NO_THROW(rows = raw.run(block));
    if (block.starts_with("SELECT")) {
      EXPECT_FALSE(rows.empty());
    }
  }
  EXPECT_EQ(store->journal()->sizes(Call()), (JournalSizes{2, 8, 0}));
  EXPECT_EQ(store->examine(Call()).back().level, Finding::Level::warning);
}

TEST(Documentation, of_the_format_names_every_table_column_and_index) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "store.db";
  fill(file);
  std::ifstream stream(THREADKEEP_SQLITE_DOCUMENT);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  RawDatabase raw(file);
  const auto names = raw.run(
      "SELECT name FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' UNION "
      "SELECT c.name FROM sqlite_schema t, pragma_table_info(t.name) c "
      "WHERE t.type = 'table' AND t.name NOT GLOB 'sqlite_*'");
  EXPECT_GT(names.size(), 15u);
  for (const std::string& name : names) {
    EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace threadkeep::sqlite_test
