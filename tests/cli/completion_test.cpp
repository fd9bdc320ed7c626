// SPDX-License-Identifier: Apache-2.0
// What shells and man(1) know of the command.
#include <fstream>
#include <sstream>

#include "command.hpp"

namespace threadkeep {
namespace {

/// Bash as a person has it after reading the script.
class BashCompletion : public Cli {
 protected:
  BashCompletion() {
    std::ofstream(directory.path() / "script") << run({"completion", "bash"}, done);
    std::ofstream(directory.path() / "some.yaml").close();
  }

  /// What comes after these words, the last of which is being written; one of a line.
  std::string completed(const Arguments& words) {
    std::string line;
    for (const auto& word : words) line += " '" + word + "'";
    return testing::run_program(
        {"/bin/bash", "-c",
         "set -u; cd \"$0\"; source ./script; complete -p threadkeep >/dev/null\n"
         "COMP_WORDS=(threadkeep" +
             line +
             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
             "_threadkeep; for each in \"${COMPREPLY[@]}\"; do echo \"$each\"; done",
         directory.path()});
  }
};

TEST_F(BashCompletion, knows_the_commands) {
  EXPECT_EQ(completed({"setu"}), "setup\n");
  EXPECT_EQ(completed({"threads", "di"}), "diff\n");
  EXPECT_EQ(completed({"completion", "f"}), "fish\n");
  const auto all = completed({""});
  for (const auto* command : {"setup\n", "doctor\n", "stats\n", "threads\n", "completion\n"}) {
    EXPECT_TRUE(contains(all, command)) << all;
  }
}

TEST_F(BashCompletion, knows_the_options_of_each_command) {
  EXPECT_EQ(completed({"threads", "show", "ada", "--va"}), "--values\n");
  EXPECT_EQ(completed({"threads", "list", "--va"}), "");
  EXPECT_EQ(completed({"setup", "--pr"}), "--print-sql\n");
  EXPECT_EQ(completed({"threads", "list", "--url", "threads", "--meta"}), "--metadata\n");
}

TEST_F(BashCompletion, knows_what_options_take) {
  EXPECT_EQ(completed({"setup", "--role", ""}), "app\ncron\nmigrator\n");
  EXPECT_EQ(completed({"doctor", "--config", "so"}), "some.yaml\n");
  EXPECT_EQ(completed({"doctor", "--url", ""}), "") << "not the next option";
}

// Every option that the help of a command has, and no other.
TEST_F(BashCompletion, knows_what_the_help_says) {
  for (const Arguments& command : std::vector<Arguments>{{"setup"},
                                                         {"doctor"},
                                                         {"stats"},
                                                         {"threads", "list"},
                                                         {"threads", "show"},
                                                         {"threads", "diff"},
                                                         {"threads", "delete"},
                                                         {"messages", "list"},
                                                         {"state", "get"}}) {
    Arguments words = command;
    words.emplace_back("--");
    std::istringstream options(completed(words));
    Arguments help = command;
    help.emplace_back("--help");
    const auto text = run(help, done);
    int count = 0;
    for (std::string option; options >> option; ++count) {
      EXPECT_TRUE(contains(text, option)) << option;
    }
    EXPECT_GE(count, 6) << command.back();
  }
}

TEST_F(Cli, completes_in_other_shells) {
  for (const auto* shell : {"zsh", "fish"}) {
    const auto script = run({"completion", shell}, done);
    for (const auto* part : {"threads list", "metadata", "app", "Lists the threads of a store"}) {
      EXPECT_TRUE(contains(script, part)) << shell << ": " << part;
    }
  }
  run({"completion", "tcsh"}, usage);
}

TEST_F(Cli, prints_a_manual_page) {
  const auto page = run({"manual"}, done);
  EXPECT_EQ(page.find(".TH THREADKEEP 1"), 0U);
  for (const auto* part : {".SS threadkeep threads diff THREAD BEFORE AFTER", "\\fB\\-\\-url\\fR",
                           ".SS threadkeep setup\n", "THREADKEEP_CONFIG"}) {
    EXPECT_TRUE(contains(page, part)) << part;
  }
}

}  // namespace
}  // namespace threadkeep
