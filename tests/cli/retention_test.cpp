// SPDX-License-Identifier: Apache-2.0
// threadkeep retention: policies from the file, what is due, sweeps, reports, schedules.
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "command.hpp"
#include "postgres_backends.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

using nlohmann::json;

/// A store with one thread of 30 days ago and one of yesterday, and a configuration with one
/// policy; the parameter is its kind.
class CliRetentionHosted : public Cli, public ::testing::WithParamInterface<std::string> {
 protected:
  CliRetentionHosted() {
    setenv("THREADKEEP_URL", place.c_str(), 1);
    setenv("THREADKEEP_CONFIG", (directory.path() / "threadkeep.yaml").c_str(), 1);
    std::ofstream(directory.path() / "threadkeep.yaml")
        << "retention: {policies: [{name: week, idle: 7d}]}\n";
    store("old", 30);
    store("young", 1);
  }
  ~CliRetentionHosted() override {
    unsetenv("THREADKEEP_URL");
    unsetenv("THREADKEEP_CONFIG");
  }

  void store(const std::string& thread, std::int64_t days_ago) {
    Environment environment = Environment::system();
    const std::int64_t then = environment.now() - days_ago * 86'400'000'000;
    environment.now = [then] { return then; };
    Store store(Registry::builtin().open(place, environment));
    store.write(testing::Draft(thread, "1").value("a", "1", "x"), Call());
  }
  std::string threads() const {
    std::string ids;
    Store store(Registry::builtin().open(place));
    for (const auto& info : store.threads({}, Call()).items) ids += info.thread_id + ' ';
    return ids;
  }
  static std::string retention(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), "retention");
    return run(std::move(arguments), status);
  }
  static json report(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return json::parse(retention(std::move(arguments), status));
  }

  const std::string place = place_of(GetParam());

 private:
  std::string place_of(const std::string& kind) const {
    static int stores = 0;
    if (kind == "sqlite") return url;
    return testing::RedisServer::shared().url("prefix=swept" + std::to_string(++stores));
  }
};

TEST_P(CliRetentionHosted, deletes_by_the_policies_of_the_file_when_told_so) {
  EXPECT_EQ(report({"sweep", "--yes"}, failed).at("code"), "unsupported");
  EXPECT_TRUE(contains(retention({"apply"}), "has 1 policy"));
  const auto dry = report({"sweep"});
  ASSERT_EQ(dry.at("due").size(), 1U);
  EXPECT_EQ(dry["due"][0].at("policy"), "week");
  EXPECT_EQ(dry["due"][0].at("checkpoints"), 1);
  EXPECT_EQ(threads(), "old young ");
  const auto swept = report({"sweep", "--yes"});
  EXPECT_EQ(swept.at("finished"), true);
  EXPECT_EQ(swept.at("checkpoints"), 1);
  EXPECT_EQ(threads(), "young ");
  EXPECT_TRUE(contains(retention({"sweep", "--yes"}), "took checkpoints from 0 threads"));
}

TEST_P(CliRetentionHosted, keeps_what_is_pinned_or_held_and_reports_it) {
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"pin", "old"}), "old is pinned\n"));
  EXPECT_EQ(report({"hold", "old", "--name", "case 17"}).at("changed"), true);
  retention({"unpin", "old"});
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "old young ");
  retention({"release", "old", "--name", "case 17"});
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "young ");
  EXPECT_EQ(report({"status"}).at("runs").size(), 2U);
  EXPECT_EQ(report({"audit", "--all"}).at("entries").size(), 6U);
  EXPECT_FALSE(contains(retention({"status"}), "pg_cron"));
}

TEST_P(CliRetentionHosted, marks_no_thread_that_has_no_id) {
  retention({"apply"});
  for (const char* mark : {"pin", "unpin"}) retention({mark, ""}, usage);
  for (const char* mark : {"hold", "release"}) retention({mark, "", "--name", "x"}, usage);
  EXPECT_TRUE(contains(retention({"hold", "old", "--name", ""}, usage), "--name"));
  EXPECT_TRUE(contains(retention({"expire", "", "--in", "1d"}, usage), "THREAD"));
  EXPECT_EQ(report({"audit"}).at("entries").size(), 1U) << "only the policies";
}

TEST_P(CliRetentionHosted, prints_what_cron_and_systemd_need) {
  retention({"apply"});
  const auto lines = report({"schedule", "--every", "2h"});
  EXPECT_EQ(lines.at("scheduled"), false);
  const auto crontab = lines.at("crontab").get<std::string>();
  ASSERT_TRUE(crontab.starts_with("0 */2 * * * ")) << crontab;
  testing::run_program({"/bin/sh", "-c", "cd /; " + crontab.substr(12)});
  EXPECT_EQ(threads(), "young ");
  EXPECT_TRUE(contains(retention({"unschedule"}), "nothing"));
}

TEST_P(CliRetentionHosted, has_no_roles_to_let_sweep) {
  EXPECT_TRUE(
      contains(retention({"install", "--grantee", "x"}, usage), "--grantee is for Postgres"));
}

TEST_P(CliRetentionHosted, finds_threads_that_do_not_expire) {
  EXPECT_TRUE(contains(retention({"audit", "--expiry"}), "no thread expires without a sweep"));
  if (GetParam() != "redis") return;
  retention({"install"});
  retention({"pin", "old"});
  const auto expiring = place + "&ttl=1h";
  EXPECT_TRUE(contains(retention({"audit", "--expiry", "--url", expiring}),
                       "1 of 2 threads do not expire:\nyoung\n"));
  EXPECT_EQ(report({"audit", "--expiry", "--url", expiring}).at("without_expiry"), 1);
  retention({"hold", "young", "--name", "x"});
  EXPECT_TRUE(contains(retention({"audit", "--expiry", "--url", expiring}), "all of 2 threads"));
}

std::vector<std::string> hosted_kinds() {
  std::vector<std::string> kinds;
#ifdef THREADKEEP_TEST_SQLITE
  kinds.emplace_back("sqlite");
#endif
#ifdef THREADKEEP_TEST_REDIS
  kinds.emplace_back("redis");
#endif
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Stores, CliRetentionHosted, ::testing::ValuesIn(hosted_kinds()),
                         [](const auto& test) { return test.param; });

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(Cli, prints_no_schedule_with_a_path_that_depends_on_a_directory) {
  run({"setup", "--url", url}, done);
  run({"retention", "install", "--url", url}, done);
  const std::string command = std::string(THREADKEEP_COMMAND) + " retention schedule --url ";
  const auto output = testing::run_program(
      {"/bin/sh", "-c", "cd " + directory.path().string() + "; " + command + "sqlite:threads.db"},
      failed);
  EXPECT_TRUE(contains(output, "write its full path")) << output;
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
/// A store of Postgres with one thread of 30 days ago, and a file with one policy.
class CliRetention : public Cli {
 protected:
  explicit CliRetention(testing::PostgresServer& server = testing::PostgresServer::shared())
      : server_(server), schema_(schemas().take()), url_(schemas().url(schema_)) {
    setenv("THREADKEEP_URL", url_.c_str(), 1);
    setenv("THREADKEEP_CONFIG", (directory.path() / "threadkeep.yaml").c_str(), 1);
    run({"setup"}, done);
    store_old("old");
    write("retention: {policies: [{name: week, idle: 7d}]}\n");
  }
  ~CliRetention() override {
    schemas().give_back(schema_);
    unsetenv("THREADKEEP_URL");
    unsetenv("THREADKEEP_CONFIG");
  }

  static testing::PostgresSchemas& schemas() { return testing::bytewise_schemas(); }

  void write(const std::string& text) {
    std::ofstream(directory.path() / "threadkeep.yaml") << text;
  }
  std::string sql(std::string text) {
    for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}", at)) {
      text.replace(at, 2, '"' + schema_ + '"');
    }
    return server_.run(text);
  }
  void store_old(const std::string& thread) {
    sql("INSERT INTO {}.checkpoints VALUES ('" + thread +
        "', '', '1', NULL, NULL, jsonb_build_object('v', 4, 'ts', to_char((now() - interval "
        "'30 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')), '{}'::jsonb)");
  }
  std::string threads() {
    return sql("SELECT string_agg(thread_id, ',' ORDER BY thread_id) FROM {}.checkpoints");
  }
  static std::string retention(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), "retention");
    return run(std::move(arguments), status);
  }
  static json report(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return json::parse(retention(std::move(arguments), status));
  }

  testing::PostgresServer& server_;
  const std::string schema_;
  const std::string url_;
};

TEST_F(CliRetention, applies_the_policies_of_the_file_and_installs_what_is_missing) {
  EXPECT_TRUE(contains(retention({"apply"}), "has 1 policy"));
  const auto preview = report({"preview"});
  EXPECT_EQ(preview.at("as_in_file"), true);
  EXPECT_EQ(preview.at("policies").at(0).at("idle"), "7d");
  ASSERT_EQ(preview.at("due").size(), 1U);
  EXPECT_EQ(preview["due"][0].at("policy"), "week");
  EXPECT_EQ(preview["due"][0].at("reason"), "idle");
  EXPECT_EQ(preview["due"][0].at("threads"), 1);
  EXPECT_GT(preview["due"][0].at("bytes"), 0);
}

TEST_F(CliRetention, shows_where_the_file_and_the_store_differ) {
  retention({"apply"});
  write("retention: {policies: [{name: year, idle: 365d}]}\n");
  const auto text = retention({"preview"});
  EXPECT_TRUE(contains(text, "week")) << text;
  EXPECT_TRUE(contains(text, "the file has other policies than the store")) << text;
  EXPECT_EQ(report({"preview"}).at("as_in_file"), false);
  EXPECT_TRUE(contains(retention({"status"}), "the file has other policies than the store"));
  const auto of_file = report({"preview", "--of-file"});
  EXPECT_TRUE(of_file.at("due").empty()) << of_file;
  EXPECT_EQ(of_file.at("policies").at(0).at("name"), "year");
  write("timeout: 1m\n");
  EXPECT_TRUE(report({"preview"}).at("as_in_file").is_null());
}

TEST_F(CliRetention, stores_how_long_tombstones_and_the_audit_stay) {
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"status"}), "tombstones stay for 30d, the audit for 365d"));
  write("retention: {tombstones: off, audit: 90d, policies: [{name: week, idle: 7d}]}\n");
  EXPECT_EQ(report({"preview"}).at("as_in_file"), false);
  EXPECT_EQ(report({"preview", "--of-file"}).at("keep").at("audit"), "90d");
  EXPECT_EQ(report({"apply"}).at("keep").at("tombstones"), "off");
  EXPECT_EQ(report({"preview"}).at("as_in_file"), true);
  EXPECT_EQ(report({"status"}).at("keep").at("audit"), "90d");
  EXPECT_TRUE(contains(retention({"status"}), "tombstones stay for ever, the audit for 90d"));
  EXPECT_EQ(report({"sweep"}).at("leftovers").at("tombstones"), 0);
  write("retention: {tombstones: 15m, policies: []}\n");
  EXPECT_TRUE(contains(retention({"apply"}, usage), "tombstones is shorter than 1h"));
}

TEST_F(CliRetention, refuses_to_apply_what_is_not_there_or_wrong) {
  write("timeout: 1m\n");
  EXPECT_TRUE(contains(retention({"apply"}, usage), "which policies?"));
  write("retention: {policies: [{name: a, idle: -7d}]}\n");
  EXPECT_TRUE(contains(retention({"apply"}, usage), "threadkeep.yaml:1:"));
}

TEST_F(CliRetention, deletes_only_when_told_so) {
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"sweep"}), "nothing was deleted: this is a dry run"));
  const auto dry = report({"sweep"});
  EXPECT_EQ(dry.at("dry_run"), true);
  EXPECT_EQ(dry.at("due").at(0).at("checkpoints"), 1);
  EXPECT_EQ(threads(), "old\n");
  const auto swept = report({"sweep", "--yes", "--batch-size", "10"});
  EXPECT_EQ(swept.at("ok"), true);
  EXPECT_EQ(swept.at("finished"), true);
  EXPECT_EQ(swept.at("checkpoints"), 1);
  EXPECT_EQ(threads(), "\n");
  EXPECT_TRUE(contains(retention({"sweep"}), "nothing is due\n"));
  EXPECT_TRUE(contains(retention({"sweep", "--yes"}), "took checkpoints from 0 threads"));
}

// For cron: what a sweep did is in a file that Prometheus' node exporter reads.
TEST_F(CliRetention, tells_those_who_watch_it_what_it_did) {
  const auto file = directory.path() / "threadkeep.prom";
  const auto metrics = [&] {
    std::ifstream stream(file);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  report({"sweep", "--yes", "--metrics-file", file}, failed);
  EXPECT_TRUE(contains(metrics(), "threadkeep_command_success{command=\"retention sweep\"} 0\n"));
  retention({"apply"});
  report({"sweep", "--metrics-file", file.string() + ".dry"});
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".dry"));
  const auto before = std::time(nullptr);
  report({"sweep", "--yes", "--metrics-file", file});
  EXPECT_TRUE(contains(metrics(), "threadkeep_command_success{command=\"retention sweep\"} 1\n"));
  EXPECT_TRUE(contains(metrics(), "\nthreadkeep_sweep_finished 1\n"));
  EXPECT_TRUE(contains(metrics(), "\nthreadkeep_sweep_threads 1\n"));
  EXPECT_TRUE(contains(metrics(), "\nthreadkeep_sweep_checkpoints 1\n"));
  const std::string end = "threadkeep_command_end_seconds{command=\"retention sweep\"} ";
  const auto at = metrics().find(end);
  ASSERT_NE(at, std::string::npos);
  EXPECT_GE(std::stod(metrics().substr(at + end.size())), static_cast<double>(before));
  using std::filesystem::perms;
  EXPECT_NE(std::filesystem::status(file).permissions() & perms::others_read, perms::none);
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    EXPECT_FALSE(contains(entry.path().string(), ".partial-")) << entry.path();
  }
  const auto nowhere = report({"sweep", "--yes", "--metrics-file", "/absent/file"}, failed);
  EXPECT_TRUE(contains(nowhere.at("message").get<std::string>(), "/absent/file"));
  EXPECT_EQ(report({"sweep", "--yes", "--statsd", "nowhere"}, usage).at("code"),
            "invalid_argument");
}

TEST_F(CliRetention, says_why_a_sweep_does_nothing) {
  const auto absent = report({"sweep", "--yes"}, failed);
  EXPECT_EQ(absent.at("code"), "unsupported");
  EXPECT_TRUE(contains(absent.at("message").get<std::string>(), "retention install"));
  EXPECT_TRUE(contains(retention({"schedule"}, failed), "retention install"));
  retention({"install"});
  EXPECT_TRUE(contains(retention({"sweep"}), "nothing is due: no policy is stored"));
  EXPECT_EQ(report({"sweep", "--yes"}, failed).at("code"), "no_policies");
  retention({"apply"});
  sql("SELECT {}.threadkeep_retention_begin()");
  EXPECT_EQ(report({"sweep", "--yes"}, failed).at("code"), "busy");
  EXPECT_EQ(threads(), "old\n");
}

TEST_F(CliRetention, leaves_the_rest_to_the_next_sweep_when_its_time_is_over) {
  retention({"apply"});
  const auto swept = report({"sweep", "--yes", "--time-budget", "0s"});
  EXPECT_EQ(swept.at("finished"), false);
  EXPECT_EQ(report({"status"}).at("runs").at(0).at("state"), "paused");
  EXPECT_EQ(threads(), "old\n");
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "\n");
}

TEST_F(CliRetention, tells_the_error_that_ended_a_sweep) {
  retention({"install"});
  sql("INSERT INTO {}.threadkeep_retention_policies VALUES (1, '{\"name\": \"p\", \"idle\": "
      "\"x\"}')");
  EXPECT_TRUE(contains(retention({"sweep", "--yes"}, failed), "failed"));
  EXPECT_EQ(sql("SELECT state FROM {}.threadkeep_retention_runs"), "failed\n");
}

TEST_F(CliRetention, keeps_what_is_pinned_or_held) {
  retention({"apply"});
  store_old("second");
  EXPECT_TRUE(contains(retention({"pin", "old"}), "old is pinned\n"));
  EXPECT_TRUE(contains(retention({"pin", "old"}), "old was pinned already\n"));
  EXPECT_EQ(report({"hold", "second", "--name", "case 17"}).at("changed"), true);
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "old,second\n");
  EXPECT_TRUE(contains(retention({"unpin", "old"}), "old is pinned no more\n"));
  EXPECT_EQ(report({"release", "second", "--name", "case 18"}).at("changed"), false);
  EXPECT_EQ(report({"release", "second", "--name", "case 17"}).at("changed"), true);
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "\n");
}

TEST_F(CliRetention, reports_the_last_sweeps_and_what_was_deleted_by_whom) {
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"status"}), "no sweep has run"));
  retention({"pin", "ada"});
  retention({"sweep", "--yes"});
  const auto run = report({"status"}).at("runs").at(0);
  EXPECT_EQ(run.at("state"), "done");
  EXPECT_EQ(run.at("who"), "threadkeep");
  EXPECT_EQ(run.at("checkpoints"), 1);
  EXPECT_GE(run.at("finished_at"), run.at("started_at"));
  EXPECT_TRUE(contains(retention({"status"}), "done"));
  const auto all = report({"audit", "--all"}).at("entries");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at("action"), "sweep");
  EXPECT_EQ(all[0].at("policy"), "week");
  EXPECT_EQ(all[1].at("action"), "pin");
  EXPECT_EQ(all[1].at("thread_id"), "ada");
  EXPECT_EQ(all[2].at("action"), "apply");
  const auto first = report({"audit", "--limit", "2"});
  EXPECT_EQ(first.at("entries").size(), 2U);
  const auto next = report({"audit", "--cursor", first.at("next").get<std::string>()});
  EXPECT_EQ(next.at("entries").at(0), all[2]);
  EXPECT_EQ(next.at("next"), "");
  EXPECT_TRUE(contains(retention({"audit", "--cursor", "x"}, usage), "cursor"));
}

TEST_F(CliRetention, lets_a_role_sweep_that_may_do_little_else) {
  server_.run("CREATE ROLE night LOGIN");
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"install", "--grantee", "night"}), "night may sweep"));
  server_.run(run({"setup", "--print-sql", "--role", "cron", "--grantee", "night"}, done));
  std::string place = url_;
  place.replace(place.find("threadkeep@"), 11, "night@");
  EXPECT_EQ(report({"sweep", "--url", place}).at("due").size(), 1U);
  EXPECT_EQ(report({"sweep", "--yes", "--url", place}).at("checkpoints"), 1);
  EXPECT_TRUE(contains(retention({"pin", "ada", "--url", place}, failed), "denied"));
  EXPECT_EQ(report({"status"}).at("runs").at(0).at("who"), "night");
}

TEST_F(CliRetention, prints_what_cron_and_systemd_need_where_there_is_no_pg_cron) {
  write("url: " + url_ + "\nretention: {policies: [{name: week}]}\n");
  unsetenv("THREADKEEP_URL");
  const std::string file = directory.path() / "threadkeep.yaml";
  retention({"apply"});
  const auto lines = report({"schedule", "--every", "2h", "--config", file});
  EXPECT_EQ(lines.at("scheduled"), false);
  const auto crontab = lines.at("crontab").get<std::string>();
  ASSERT_TRUE(crontab.starts_with("0 */2 * * * ")) << crontab;
  EXPECT_TRUE(contains(lines.at("timer").get<std::string>(), "OnCalendar=*-*-* 0/2:0:00\n"));
  EXPECT_TRUE(contains(lines.at("service").get<std::string>(), "--config " + file));
  const auto text = retention({"schedule", "--config", file});
  EXPECT_TRUE(contains(text, "nothing is scheduled yet: pg_cron is not installed")) << text;
  EXPECT_TRUE(contains(text, "*/15 * * * * ")) << text;
  unsetenv("THREADKEEP_CONFIG");
  testing::run_program({"/bin/sh", "-c", "cd /; " + crontab.substr(12)});
  EXPECT_EQ(threads(), "\n");
  EXPECT_TRUE(contains(retention({"unschedule", "--config", file}), "no schedule"));
}

TEST_F(CliRetention, prints_no_password_for_cron) {
  retention({"install"});
  std::string place = url_;
  place.insert(place.find('@'), ":canary7f3a");
  const auto output = retention({"schedule", "--url", place}, failed);
  EXPECT_FALSE(contains(output, "canary7f3a"));
  EXPECT_TRUE(contains(output, "the URL holds a password")) << output;
}

TEST_F(CliRetention, refuses_intervals_that_cron_cannot_say) {
  retention({"install"});
  for (const char* every : {"0s", "30s", "7m", "90m", "5h", "2d"}) {
    EXPECT_TRUE(contains(retention({"schedule", "--every", every}, usage), "--every must be"))
        << every;
  }
}

TEST_F(CliRetention, is_documented_by_lines_that_run) {
  std::string file;
  for (const auto& line : lines_of(RETENTION_PAGE, "yaml")) file += line + "\n";
  write(file);
  unsetenv("THREADKEEP_URL");
  unsetenv("THREADKEEP_CONFIG");
  setenv("AGENTS_URL", url_.c_str(), 1);
  const auto lines = lines_of(RETENTION_PAGE, "sh");
  EXPECT_GE(lines.size(), 9U);
  const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
  for (const auto& line : lines) {
    testing::run_program({"/bin/bash", "-c",
                          "set -eo pipefail; export PATH=\"$0:$PATH\"; cd \"$1\"; " + line, bin,
                          directory.path()});
  }
  EXPECT_EQ(sql("SELECT count(*) FROM {}.threadkeep_retention_policies"), "2\n");
}

/// A server with pg_cron in the store's database.
TEST(CliRetentionCron, sweeps_by_pg_cron_until_it_is_unscheduled) {
  testing::PostgresServer server({.settings = {{"shared_preload_libraries", "'pg_cron'"},
                                               {"cron.database_name", "'store'"},
                                               {"cron.host", "'127.0.0.1'"}}});
  server.run("CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO PUBLIC");
  const auto retention = [&](Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), "retention");
    arguments.insert(arguments.end(), {"--url", server.url(), "--json"});
    return json::parse(run(std::move(arguments), status));
  };
  run({"setup", "--url", server.url()}, done);
  retention({"install"});
  const auto scheduled = retention({"schedule", "--every", "1h"});
  EXPECT_EQ(scheduled.at("schedule"), "0 */1 * * *");
  retention({"schedule", "--every", "1m"});
  EXPECT_EQ(server.run("SELECT count(*) FROM cron.job"), "1\n");
  EXPECT_EQ(retention({"status"}).at("schedule").at("schedule"), "*/1 * * * *");
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  json status;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    status = retention({"status"});
  } while ((status.at("runs").empty() || status["schedule"].at("last_status") != "succeeded") &&
           std::chrono::steady_clock::now() < until);
  EXPECT_EQ(status["schedule"].at("last_status"), "succeeded") << status << server.log();
  ASSERT_FALSE(status.at("runs").empty());
  EXPECT_EQ(status["runs"][0].at("state"), "done");
  EXPECT_EQ(retention({"unschedule"}).at("changed"), true);
  EXPECT_EQ(retention({"unschedule"}).at("changed"), false);
  EXPECT_TRUE(retention({"status"}).at("schedule").is_null());
}
#endif

}  // namespace
}  // namespace threadkeep
