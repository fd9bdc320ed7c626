// SPDX-License-Identifier: Apache-2.0
// `threadkeep doctor`, as a person or a script runs it.
#include <fstream>
#include <nlohmann/json.hpp>

#include "command.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

using Json = nlohmann::json;

TEST_F(Cli, doctor_finds_a_new_store_good) {
  run({"setup", "--url", url}, done);
  const auto output = run({"doctor", "--url", url}, done);
  EXPECT_TRUE(contains(output, "ok       store        SQLite")) << output;
  EXPECT_TRUE(contains(output, "ok       content      every page")) << output;
  const auto report = Json::parse(run({"doctor", "--url", url, "--json"}, done));
  EXPECT_EQ(report.at("ok"), true);
  EXPECT_EQ(report.at("findings")[0].at("level"), "ok");
}

TEST_F(Cli, doctor_says_what_to_do_about_a_warning) {
  run({"setup", "--url", url}, done);
  const auto output = run({"doctor", "--url", url + "?synchronous=normal"}, done);
  EXPECT_TRUE(contains(output, "warning  durability")) << output;
  EXPECT_TRUE(contains(output, "-> leave synchronous=normal out of the URL")) << output;
}

TEST_F(Cli, doctor_fails_for_a_problem) {
  std::ofstream(directory.path() / "threads.db") << "this is a letter and no database";
  EXPECT_TRUE(contains(run({"doctor", "--url", url}, failed), "problem  store"));
  const auto report = Json::parse(run({"doctor", "--url", url, "--json"}, failed));
  EXPECT_EQ(report.at("ok"), false);
}

}  // namespace
}  // namespace threadkeep
#endif
