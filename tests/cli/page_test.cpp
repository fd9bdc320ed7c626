// SPDX-License-Identifier: Apache-2.0
// docs/operation/cli.md is true: its options are the command's, its commands run.
#include <fstream>
#include <iterator>
#include <set>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep {
namespace {

const std::vector<Arguments>& commands() {
  static const std::vector<Arguments> all = {{"setup"},
                                             {"doctor"},
                                             {"stats"},
                                             {"threads", "list"},
                                             {"threads", "show"},
                                             {"threads", "history"},
                                             {"threads", "export"},
                                             {"threads", "import"},
                                             {"threads", "diff"},
                                             {"threads", "copy"},
                                             {"threads", "delete"},
                                             {"messages", "list"},
                                             {"state", "get"},
                                             {"set-aside", "list"},
                                             {"set-aside", "export"},
                                             {"set-aside", "drop"},
                                             {"retention", "install"},
                                             {"retention", "apply"},
                                             {"retention", "preview"},
                                             {"retention", "sweep"},
                                             {"retention", "status"},
                                             {"retention", "audit"},
                                             {"retention", "pin"},
                                             {"retention", "expire"},
                                             {"retention", "unpin"},
                                             {"retention", "hold"},
                                             {"retention", "release"},
                                             {"retention", "schedule"},
                                             {"retention", "unschedule"},
                                             {"migrate-tier"},
                                             {"migrate-tier", "verify"},
                                             {"migrate-tier", "rollback"},
                                             {"completion"},
                                             {"manual"}};
  return all;
}

std::string page() {
  std::ifstream file(OPERATION_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The words of a text that begin with `mark` and "--", without the mark.
std::set<std::string> options_of(const std::string& text, const std::string& mark) {
  std::set<std::string> options;
  for (std::size_t at = text.find(mark + "--"); at != std::string::npos;
       at = text.find(mark + "--", at + 1)) {
    const auto begin = at + mark.size();
    options.insert(text.substr(begin, text.find_first_of(" ,.\n`=", begin) - begin));
  }
  return options;
}

TEST(CliPage, names_every_option_and_no_other) {
  std::set<std::string> there;
  for (auto command : commands()) {
    command.emplace_back("--help");
    there.merge(options_of(run(command, done), ""));
  }
  there.insert("--version");
  auto described = options_of(page(), "`");
  described.insert({"--version", "--help"});
  EXPECT_EQ(described, there);
}

TEST(CliPage, names_every_command) {
  for (const auto& command : commands()) {
    std::string name = "threadkeep";
    for (const auto& word : command) name += " " + word;
    EXPECT_TRUE(contains(page(), "# `" + name) || contains(page(), "and `" + name)) << name;
    EXPECT_TRUE(contains(run({command.front(), "--help"}, done), command.back()));
  }
}

// It writes metrics, and serves them to nobody.
TEST(CliProgram, is_linked_with_no_http_server) {
  const auto needed = testing::run_program({"readelf", "-d", THREADKEEP_COMMAND}, done);
  EXPECT_TRUE(contains(needed, "NEEDED")) << needed;
  for (const auto* library : {"civetweb", "prometheus-cpp-pull"}) {
    EXPECT_FALSE(contains(needed, library)) << needed;
  }
}

#ifdef THREADKEEP_TEST_SQLITE
TEST(CliPage, runs_as_it_is_written) {
  const testing::TemporaryDirectory directory;
  {
    const auto store = open("sqlite:" + (directory.path() / "agent.db").string());
    for (const auto* thread : {"ada", "bob"}) {
      store->write(PutThread{thread, R"({"user": "ada"})"}, {});
      store->write(testing::Draft(thread, "1").value("messages", "1", "hello"), {});
      store->write(testing::Draft(thread, "2").parent("1").value("messages", "2", "again"), {});
    }
    SessionStore sessions(store);
    sessions.append({"ada", "", {{"", "user", "\"hello\"", "{}"}}, {}, {}, {}});
    sessions.put_state(StateScope::of_thread("ada"), "last_turn", "1");
    sessions.put_state(StateScope::named("user:ada"), "visits", "12");
  }
  {
    std::ofstream configuration(directory.path() / "threadkeep.yaml");
    for (const auto& line : lines_of(OPERATION_PAGE, "yaml")) configuration << line << "\n";
  }
  setenv("AGENTS_PASSWORD", "secret", 1);
  const auto lines = lines_of(OPERATION_PAGE, "sh");
  EXPECT_GE(lines.size(), 8U);
  const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
  for (const auto& line : lines) {
    testing::run_program({"/bin/bash", "-c",
                          "set -eo pipefail; export PATH=\"$0:$PATH\"; cd \"$1\"; " + line, bin,
                          directory.path()});
  }
}
#endif

}  // namespace
}  // namespace threadkeep
