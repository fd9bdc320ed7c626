// SPDX-License-Identifier: Apache-2.0
// Every command on the pages about Postgres works.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <threadkeep/threadkeep.hpp>

#include "setup_support.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::postgres_test {
namespace {

using testing::Draft;
using testing::pending;

// The fenced blocks of a language, in their order.
Rows blocks(const std::string& page, const std::string& language) {
  Rows found;
  std::ifstream stream(std::filesystem::path(DOCUMENTS) / page);
  bool inside = false;
  for (std::string line; std::getline(stream, line);) {
    if (line == "```" + language) {
      inside = true;
      found.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// As one person would type them one after the other, in an empty directory.
void run_commands(const std::string& page, const std::string& server) {
  const testing::TemporaryDirectory directory;
  const auto programs = std::filesystem::path(THREADKEEP_COMMAND).parent_path().string();
  std::string script = "set -euo pipefail\nunset THREADKEEP_URL\ncd " + directory.path().string() +
                       "\nPATH=" + programs + ":$PATH\nset -x\n";
  for (const auto& block : blocks(page, "sh")) script += block;
  run_program({"bash"}, 0, replaced(script, "db.example", server));
}

class PostgresDocumentation : public SetupTest {
 protected:
  // "127.0.0.1:12345"
  std::string address() const { return "127.0.0.1:" + std::to_string(server().port()); }
};

TEST_F(PostgresDocumentation, of_operation_has_commands_that_work) {
  ASSERT_GE(blocks("operation/postgres.md", "sh").size(), 7U);
  run_commands("operation/postgres.md", address());
  const RawDatabase left(server().url("agents"));
}

TEST_F(PostgresDocumentation, of_the_tables_has_SQL_that_works) {
  {
    const std::shared_ptr<Store> opened = open(url);
    Checkpointer store(opened);
    store.put_thread({"my-thread", R"({"owner": "me"})"});
    store.put(Draft("my-thread", "1").value("messages", "1", "x").metadata(R"({"run_id": "r"})"));
    store.put(Draft("my-thread", "2").parent("1").carries("messages", "1"));
    store.put_writes({"my-thread", "", "2", {pending("task", 0, "messages", "y")}});
    AppendMessages append;
    append.thread_id = "my-thread";
    append.operation_id = "turn 1";
    append.messages = {{"m1", "user", "\"Hello\"", "{}"}};
    append.state = {{"turn", StateChange::Kind::put, "1", {}}};
    opened->write(append, {});
    store.put(Draft("deleted", "1"));
    store.delete_thread("deleted");
  }
  const auto found = blocks("storage/postgres.md", "sql");
  ASSERT_GE(found.size(), 8U);
  for (const auto& sql : found) {
    SCOPED_TRACE(sql);
    Rows rows;
    EXPECT_NO_THROW(rows = raw.run(sql));
    EXPECT_FALSE(rows.empty());
  }
}

// The page says which locks there are; the number of the one for setup can be worked out by hand.
TEST_F(PostgresDocumentation, of_the_tables_knows_the_lock_of_setup) {
  const auto number = raw.value(blocks("storage/postgres.md", "sql").back());
  RawDatabase other(url);
  other.run("BEGIN; SELECT pg_advisory_xact_lock(" + number + ")");
  EXPECT_TRUE(contains(first_use_error(call_within(std::chrono::seconds(1))).message(),
                       "advisory lock " + number));
}

}  // namespace
}  // namespace threadkeep::postgres_test
