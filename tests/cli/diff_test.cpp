// SPDX-License-Identifier: Apache-2.0
// `threadkeep threads diff`, as a person or a script runs it.
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

using Json = nlohmann::json;
using testing::Draft;
using testing::pending;

class ThreadsDiffCommand : public Cli {
 protected:
  ThreadsDiffCommand() {
    write(Draft("ada", "1-a")
              .value("messages", "1", "one\ntwo")
              .value("gone", "1", "x")
              .inlined("count", "1", "1")
              .metadata(R"({"source": "input", "step": -1})"));
    write(
        PutWrites{"ada", "", "1-a", {pending("task", 0, "messages", "hi", "~__pregel_pull, ask")}});
    write(Draft("ada", "1-b")
              .parent("1-a")
              .value("messages", "2", "one\nthree")
              .value("new", "1", std::string("\x1b[31m"))
              .inlined("count", "1", "1")
              .metadata(R"({"source": "loop", "step": 0})"));
    write(Draft("ada", "2").parent("1-a").value("messages", "1", "one\ntwo"));
  }

  void write(Mutation mutation) { store->write(std::move(mutation), {}); }
  std::string run_diff(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), {"threads", "diff"});
    arguments.insert(arguments.end(), {"--url", url});
    return run(arguments, status);
  }
  Json run_for_json(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return Json::parse(run_diff(arguments, status));
  }

  const std::shared_ptr<Store> store = open(url);
};

TEST_F(ThreadsDiffCommand, shows_what_changed_between_two_checkpoints) {
  const auto shown = run_diff({"ada", "1-a", "1-b"});
  EXPECT_TRUE(contains(shown, "metadata source: \"input\" → \"loop\"\n")) << shown;
  EXPECT_TRUE(contains(shown, "metadata step: -1 → 0\n")) << shown;
  EXPECT_TRUE(contains(shown, "removed gone (text, 1 B)\n  - x\n")) << shown;
  EXPECT_TRUE(contains(shown,
                       "changed messages (text, 7 B → text, 9 B)\n"
                       "  - one\\ntwo\n  + one\\nthree\n"))
      << shown;
  EXPECT_TRUE(contains(shown, "added new (text, 5 B)\n  + \\x1b[31m\n")) << shown;
  EXPECT_TRUE(contains(shown, "1 channel is the same\n")) << shown;
  EXPECT_TRUE(contains(shown, "written ask → messages (text, 2 B): hi\n")) << shown;
}

TEST_F(ThreadsDiffCommand, reports_as_JSON) {
  const auto report = run_for_json({"ada", "1-a", "1-b"});
  EXPECT_EQ(report.at("before").at("checkpoint_id"), "1-a");
  EXPECT_EQ(report.at("is_ancestor"), true);
  EXPECT_EQ(report.at("channels")[1],
            (Json{{"channel", "messages"},
                  {"change", "changed"},
                  {"before", {{"type", "text"}, {"bytes", 7}, {"text", "one\\ntwo"}}},
                  {"after", {{"type", "text"}, {"bytes", 9}, {"text", "one\\nthree"}}}}));
  EXPECT_EQ(report.at("metadata")[1], (Json{{"name", "step"}, {"before", -1}, {"after", 0}}));
  EXPECT_EQ(report.at("unchanged"), 1);
  EXPECT_EQ(report.at("writes")[0].at("task"), "ask");
}

TEST_F(ThreadsDiffCommand, takes_the_last_step_when_no_checkpoints_are_named) {
  const auto report = run_for_json({"ada"});
  EXPECT_EQ(report.at("before").at("checkpoint_id"), "1-a");
  EXPECT_EQ(report.at("after").at("checkpoint_id"), "2");
}

TEST_F(ThreadsDiffCommand, finds_checkpoints_by_short_names) {
  const auto named = [&](const std::string& before, const std::string& after) {
    const auto report = run_for_json({"ada", before, after});
    return report.at("before").at("checkpoint_id").get<std::string>() + " " +
           report.at("after").at("checkpoint_id").get<std::string>();
  };
  EXPECT_EQ(named("latest~1", "latest"), "1-a 2");
  EXPECT_EQ(named("1-b~1", "1-b~0"), "1-a 1-b");
  EXPECT_EQ(named("2", "2"), "2 2");
  EXPECT_TRUE(contains(run_diff({"ada", "1", "2"}, failed), "several checkpoints begin with '1'"));
  EXPECT_TRUE(contains(run_diff({"ada", "3", "2"}, failed), "no checkpoint begins with '3'"));
  EXPECT_TRUE(contains(run_diff({"ada", "latest~2", "2"}, failed), "older than the oldest"));
  EXPECT_TRUE(contains(run_diff({"bob"}, failed), "has no checkpoints"));
  EXPECT_EQ(run_for_json({"ada", "1", "2"}, failed).at("code"), "not_found");
}

TEST_F(ThreadsDiffCommand, says_when_checkpoints_are_on_different_lines) {
  EXPECT_TRUE(contains(run_diff({"ada", "1-b", "2"}), "not an ancestor"));
  EXPECT_EQ(run_for_json({"ada", "1-b", "2"}).at("is_ancestor"), false);
}

TEST_F(ThreadsDiffCommand, compares_two_threads) {
  write(CopyThread{"ada", "bob"});
  EXPECT_TRUE(
      contains(run_diff({"ada", "latest", "latest", "--other-thread", "bob"}), "no difference\n"));
  write(Draft("bob", "3").parent("2").value("messages", "3", "one\nfour"));
  const auto shown = run_diff({"ada", "latest", "latest", "--other-thread", "bob"});
  EXPECT_TRUE(contains(shown, "  + one\\nfour\n")) << shown;
}

TEST_F(ThreadsDiffCommand, compares_values_that_cannot_be_shown) {
  PutCheckpoint first = Draft("cyd", "1").value("state", "1", "a");
  PutCheckpoint second = Draft("cyd", "2").parent("1").value("state", "2", "b");
  first.blobs.front().type = second.blobs.front().type = "pickle";
  write(first);
  write(second);
  EXPECT_TRUE(contains(run_diff({"cyd"}), "changed state (pickle, 1 B → pickle, 1 B)\n"));
}

}  // namespace
}  // namespace threadkeep
#endif
