// SPDX-License-Identifier: Apache-2.0
// `threadkeep doctor`, as a person or a script runs it.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"

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

TEST_F(Cli, doctor_tells_which_store_and_layers_it_looks_at) {
  run({"setup", "--url", url}, done);
  const auto layers =
      url + "?try_timeout=5s&retry=3&breaker=on&fallback=sqlite:/j%20a.db%3Fbusy%3D1s";
  const auto output = run({"doctor", "--url", layers}, done);
  EXPECT_TRUE(contains(output, "ok       address      sqlite:")) << output;
  EXPECT_TRUE(contains(output, "fallback=sqlite:/j a.db?busy=1s")) << output;
  EXPECT_TRUE(contains(output, "ok       deadline     each try ends after 5000ms")) << output;
  EXPECT_TRUE(contains(output, "ok       breaker      closed")) << output;
  EXPECT_TRUE(contains(output, "ok       retry        a call has up to 3 tries")) << output;
  EXPECT_FALSE(std::filesystem::exists("/j a.db")) << "the journal is of the program's own";
  const auto wrong = run({"doctor", "--url", url + "?retry=x&breaker=y&own=z"}, usage);
  for (const auto* part : {"'retry'", "'breaker'", "'own'"}) {
    EXPECT_TRUE(contains(wrong, part)) << wrong;
  }
}

TEST_F(Cli, doctor_tells_which_policies_delete) {
  run({"setup", "--url", url}, done);
  const auto file = directory.path() / "threadkeep.yaml";
  const auto write = [&](const std::string& policies) {
    std::ofstream(file) << "url: " << url << "\nretention: {policies: [" << policies << "]}\n";
  };
  const Arguments doctor = {"doctor", "--config", file};
  const auto policies = [&](const std::string& line) {
    const auto output = run(doctor, done);
    EXPECT_TRUE(contains(output, line)) << output;
  };
  EXPECT_TRUE(contains(run({"doctor", "--url", url}, done),
                       "ok       policies     retention is not installed here"));
  write("{name: free, threads: 'chat-*', idle: 7d}, {name: rest, idle: off, keep_last: 3}");
  policies("warning  policies     those of the configuration file are not in the store");
  run({"retention", "apply", "--config", file, "--archive", "required"}, done);
  policies(
      "ok       policies     free (idle 7d, threads chat-*), rest (keep_last 3); nothing may "
      "go without an archive");
  const auto report = Json::parse(run({"doctor", "--config", file, "--json"}, done));
  ASSERT_EQ(report.at("policies").size(), 2U);
  EXPECT_EQ(report.at("policies")[1].at("keep_last"), 3);
  EXPECT_EQ(report.at("findings").back().at("subject"), "policies");
  write("");
  policies("; the configuration file has others");
  run({"retention", "apply", "--config", file, "--archive", "optional"}, done);
  policies("ok       policies     none is stored");
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

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Cli, doctor_tells_version_and_schema) {
  const testing::PostgresServer server({.durable = true, .settings = {}});
  const auto place = server.url() + "?schema=agents";
  run({"setup", "--url", place}, done);
  const auto output = run({"doctor", "--url", place}, done);
  EXPECT_TRUE(contains(output, "store        PostgreSQL 1")) << output;
  EXPECT_TRUE(contains(output, ", schema agents")) << output;
}
#endif

}  // namespace
}  // namespace threadkeep
#endif
