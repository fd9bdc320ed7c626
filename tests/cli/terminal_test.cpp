// SPDX-License-Identifier: Apache-2.0
// What the command does on a terminal: width, colours, pager, questions.
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

class Terminal : public Cli {
 protected:
  Terminal() {
    const auto store = open(url);
    store->write(PutThread{"ada", R"({"text": ")" + std::string(200, 'x') + "\"}"}, {});
    store->write(testing::Draft("ada", "1").value("m", "1", "x"), {});
  }

  // As on a terminal of 60 columns; `before` is set in the environment.
  std::string run_there(const std::string& arguments, const std::string& before,
                        const std::string& input = {}, int status = done) {
    const std::string line = "stty cols 60 rows 24; TERM=xterm NO_COLOR=1 " + before + " " +
                             THREADKEEP_COMMAND + " " + arguments + " --url " + url;
    return testing::run_program({"script", "-qec", line, "/dev/null"}, status, input);
  }
};

TEST_F(Terminal, long_output_goes_through_the_pager) {
  const std::string pager = "THREADKEEP_PAGER='sed s/^/paged:/' PAGER=false";
  for (const auto* command : {"threads list", "threads show ada", "threads history ada"}) {
    EXPECT_TRUE(contains(run_there(command, pager), "paged:")) << command;
  }
  EXPECT_TRUE(contains(run_there("threads list", "PAGER='sed s/^/paged:/'"), "paged:THREAD"));
}

TEST_F(Terminal, there_is_no_pager_where_nobody_wants_one) {
  const std::string pager = "PAGER='sed s/^/paged:/'";
  EXPECT_FALSE(contains(run_there("threads list --no-pager", pager), "paged:"));
  EXPECT_FALSE(contains(run_there("threads list --json", pager), "paged:"));
  EXPECT_FALSE(contains(run_there("doctor", pager), "paged:"));
  EXPECT_FALSE(contains(run_there("threads list", "THREADKEEP_PAGER= " + pager), "paged:"));
  setenv("PAGER", "sed s/^/paged:/", 1);
  EXPECT_FALSE(contains(run({"threads", "list", "--url", url}, done), "paged:")) << "no terminal";
  unsetenv("PAGER");
}

TEST_F(Terminal, a_pager_that_is_not_there_is_left_out) {
  const auto output = run_there("threads list", "PAGER='nosuchpager -x'");
  EXPECT_TRUE(contains(output, "ada")) << output;
}

TEST_F(Terminal, lines_are_cut_at_its_width_also_in_the_pager) {
  for (const auto* pager : {"PAGER=cat", "PAGER='sed s/^/paged:/'"}) {
    const auto output = run_there("threads list", pager);
    EXPECT_TRUE(contains(output, "…")) << output;
    EXPECT_FALSE(contains(output, std::string(100, 'x'))) << output;
  }
}

TEST_F(Terminal, errors_come_after_the_pager_has_ended) {
  const auto output = run_there("threads show nobody", "PAGER='sed s/^/paged:/'", {}, failed);
  EXPECT_TRUE(contains(output, "no checkpoints of thread 'nobody'")) << output;
  EXPECT_FALSE(contains(output, "paged:")) << output;
}

TEST_F(Terminal, deleting_asks_first) {
  EXPECT_TRUE(contains(run_there("threads delete ada", "PAGER=false", "n\n", failed),
                       "nothing was deleted"));
  EXPECT_TRUE(contains(run_there("threads delete ada", "PAGER=false", "y\n"), "deleted 1"));
}

}  // namespace
}  // namespace threadkeep
#endif
