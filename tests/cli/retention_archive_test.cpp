// SPDX-License-Identifier: Apache-2.0
// threadkeep retention sweep --archive, and times of threads.
#include <chrono>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "command.hpp"
#include "postgres_backends.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep {
namespace {

using nlohmann::json;
using Paths = std::vector<std::filesystem::path>;

/// A store with a policy of a week, and a directory for archives.
class CliArchive : public Cli {
 protected:
  explicit CliArchive(const std::string& store_url) : url_(store_url) {
    setenv("THREADKEEP_URL", url_.c_str(), 1);
    setenv("THREADKEEP_CONFIG", (directory.path() / "threadkeep.yaml").c_str(), 1);
    std::ofstream(directory.path() / "threadkeep.yaml")
        << "retention: {policies: [{name: week, idle: 7d}]}\n";
    std::filesystem::create_directory(archives());
  }
  ~CliArchive() override {
    unsetenv("THREADKEEP_URL");
    unsetenv("THREADKEEP_CONFIG");
  }

  std::filesystem::path archives() const { return directory.path() / "archives"; }
  Paths files() const {
    Paths found;
    for (const auto& entry : std::filesystem::directory_iterator(archives())) {
      if (entry.path().extension() == ".zst") found.push_back(entry.path());
    }
    return found;
  }
  static std::string retention(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), "retention");
    return run(std::move(arguments), status);
  }
  static json report(Arguments arguments, int status = done) {
    arguments.emplace_back("--json");
    return json::parse(retention(std::move(arguments), status));
  }
  std::string threads() const {
    std::string ids;
    Store store(Registry::builtin().open(url_));
    for (const auto& info : store.threads({}, Call()).items) ids += info.thread_id + ' ';
    return ids;
  }
  std::string shell(const std::string& script, int status = done) const {
    const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
    return testing::run_program(
        {"/bin/bash", "-c", "set -eo pipefail; export PATH=\"$0:$PATH\"; cd \"$1\"\n" + script, bin,
         directory.path()},
        status);
  }

  const std::string url_;
};

#ifdef THREADKEEP_TEST_SQLITE
class CliArchiveSqlite : public CliArchive {
 protected:
  CliArchiveSqlite() : CliArchive(Cli::url) {}

  void store(const std::string& thread, std::int64_t days_ago) {
    Environment environment = Environment::system();
    const std::int64_t then = environment.now() - days_ago * 86'400'000'000;
    environment.now = [then] { return then; };
    Store store(Registry::builtin().open(url, environment));
    store.write(testing::Draft(thread, "1").value("a", "1", "x"), Call());
  }
};

TEST_F(CliArchiveSqlite, writes_threads_to_a_file_before_they_go) {
  store("old", 30);
  store("young", 1);
  retention({"apply"});
  EXPECT_EQ(report({"sweep", "--archive", archives()}).at("dry_run"), true);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(report({"sweep", "--yes", "--archive", archives()}).at("threads"), 1);
  EXPECT_EQ(threads(), "young ");
  ASSERT_EQ(files().size(), 1U);
  EXPECT_TRUE(contains(files()[0].filename().string(), "Z-sweep-run1.jsonl.zst"));
  const auto entry = report({"audit"}).at("entries").at(0);
  EXPECT_EQ(entry.at("action"), "archive");
  EXPECT_EQ(entry.at("reason"), files()[0].string());
  EXPECT_TRUE(contains(run({"threads", "import", files()[0]}, done), "restored 1 thread"));
  EXPECT_EQ(threads(), "old young ");
  EXPECT_EQ(report({"sweep", "--yes", "--archive", archives()}).at("threads"), 0);
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(CliArchiveSqlite, finds_damage_when_threads_are_put_back) {
  store("old", 30);
  retention({"apply"});
  retention({"sweep", "--yes", "--archive", archives()});
  const std::string file = files().at(0);
  shell("zstd -dc " + file + " | sed 's/\"type\":\"text\"/\"type\":\"TEXT\"/' | zstd > damaged");
  EXPECT_TRUE(
      contains(run({"threads", "import", directory.path() / "damaged"}, failed), "corrupt"));
  EXPECT_EQ(threads(), "");
}

TEST_F(CliArchiveSqlite, deletes_nothing_where_archives_cannot_be_written) {
  store("old", 30);
  retention({"apply"});
  EXPECT_TRUE(contains(
      retention({"sweep", "--yes", "--archive", directory.path() / "absent"}, usage), "create it"));
  retention({"sweep", "--yes", "--archive", "/sys"}, failed);
  EXPECT_EQ(threads(), "old ");
  EXPECT_TRUE(report({"status"}).at("runs").empty()) << "no sweep has begun";
}

TEST_F(CliArchiveSqlite, deletes_nothing_where_an_empty_word_stands_for_a_directory_or_a_store) {
  store("old", 30);
  retention({"apply"});
  for (const char* option : {"--archive", "--store", "--config"}) {
    EXPECT_TRUE(contains(retention({"sweep", "--yes", option, ""}, usage), option)) << option;
  }
  retention({"sweep", "--yes", "--archive="}, usage);
  EXPECT_EQ(threads(), "old ");
}

TEST_F(CliArchiveSqlite, may_be_demanded) {
  store("old", 30);
  EXPECT_TRUE(contains(retention({"apply", "--archive", "required"}), "without an archive"));
  EXPECT_EQ(report({"sweep", "--yes"}, failed).at("code"), "denied");
  EXPECT_EQ(report({"apply"}).at("archive"), "required");
  EXPECT_EQ(report({"status"}).at("archive"), "required");
  EXPECT_EQ(report({"preview"}).at("archive"), "required");
  EXPECT_EQ(report({"sweep"}).at("archive"), "required");
  for (const char* shows : {"status", "preview", "sweep"}) {
    EXPECT_TRUE(contains(retention({shows}), "nothing may go without an archive")) << shows;
  }
  EXPECT_TRUE(contains(retention({"sweep", "--yes"}, failed), "--archive DIRECTORY"));
  EXPECT_EQ(threads(), "old ");
  EXPECT_EQ(report({"apply", "--archive", "optional"}).at("archive"), "optional");
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "");
}

TEST_F(CliArchiveSqlite, is_documented_by_lines_that_run) {
  for (const char* id : {"ada", "bob"}) store(id, 30);
  retention({"apply"});
  std::string script;
  for (const auto& line : lines_of(RETENTION_PAGE, "bash")) script += line + "\n";
  const auto printed = shell(script);
  EXPECT_TRUE(contains(printed, "took checkpoints from 2 threads")) << printed;
  EXPECT_TRUE(contains(printed, "restored 2 threads")) << printed;
  EXPECT_TRUE(contains(printed, "\narchives/20")) << printed;
  EXPECT_EQ(threads(), "ada bob ");
  ASSERT_EQ(files().size(), 1U);
  EXPECT_TRUE(contains(files()[0].string(), "-rest.jsonl.zst"));
  EXPECT_EQ(shell("zstd -dc " + files()[0].string() + " | jq -r 'select(.thread_id).thread_id'"),
            "bob\n");
}

TEST_F(CliArchiveSqlite, gives_a_thread_a_time_of_its_own) {
  store("ada", 30);
  retention({"apply"});
  EXPECT_TRUE(contains(retention({"expire", "ada"}, usage), "--at, --in or --never"));
  EXPECT_TRUE(contains(retention({"expire", "ada", "--at", "soon"}, usage),
                       "--at must be a day or a time"));
  const auto at = report({"expire", "ada", "--at", "2100-01-31T12:00+02:00"});
  EXPECT_EQ(at.at("expires_at"), 4105072800000000);
  const auto day = report({"expire", "ada", "--at", "2100-01-31"});
  EXPECT_EQ(day.at("expires_at"), 4105036800000000);
  EXPECT_TRUE(contains(retention({"expire", "ada", "--in", "4w"}), "ada goes after 20"));
  retention({"sweep", "--yes"});
  EXPECT_EQ(threads(), "ada ") << "not before its time";
  retention({"expire", "ada", "--at", "2020-01-01T00:00Z"});
  EXPECT_EQ(report({"sweep"}).at("due").at(0).at("reason"), "expired");
  EXPECT_TRUE(contains(retention({"expire", "ada", "--never"}), "no time of its own"));
  EXPECT_EQ(report({"sweep"}).at("due").at(0).at("reason"), "idle");
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
class CliArchivePostgres : public CliArchive {
 protected:
  CliArchivePostgres() : CliArchivePostgres(testing::bytewise_schemas().take()) {}
  explicit CliArchivePostgres(const std::string& schema)
      : CliArchive(testing::bytewise_schemas().url(schema)), schema_(schema) {
    run({"setup"}, done);
    retention({"apply"});
  }
  ~CliArchivePostgres() override { testing::bytewise_schemas().give_back(schema_); }

  std::string sql(std::string text) {
    for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}", at)) {
      text.replace(at, 2, '"' + schema_ + '"');
    }
    return testing::PostgresServer::shared().run(text);
  }
  // As LangGraph's saver has left them, each with 1.6 kB that cannot be compressed.
  void store_old(int threads) {
    sql("INSERT INTO {}.checkpoints SELECT 'old-' || n, '', '1', NULL, NULL, jsonb_build_object("
        "'v', 4, 'ts', to_char((now() - interval '30 days') AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'), 'noise', (SELECT string_agg(md5(random()::text "
        "|| n || i), '') FROM generate_series(1, 100) AS i)), jsonb_build_object() FROM "
        "generate_series(1, " +
        std::to_string(threads) + ") AS n");
  }
  std::set<std::string> stored() { return words(sql("SELECT thread_id FROM {}.checkpoints")); }
  // The threads of all archives, each of which must be whole.
  std::set<std::string> archived() {
    return words(
        shell("for file in archives/*.zst; do [ -e \"$file\" ] || continue; zstd -dc "
              "\"$file\" | jq -r 'select(.kind == \"thread\").thread_id'; zstd -dc "
              "\"$file\" | tail -n 1 | grep -q archive_end; done"));
  }
  static std::set<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
  }

  const std::string schema_;
};

TEST_F(CliArchivePostgres, has_every_thread_that_went_when_sweeps_are_killed) {
  std::mt19937 random(std::random_device{}());
  store_old(120);
  const auto all = stored();
  for (int kills = 0; kills < 15; ++kills) {
    testing::Program sweep({THREADKEEP_COMMAND, "retention", "sweep", "--yes", "--batch-size", "1",
                            "--archive", archives()});
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 400));
    sweep.kill();
    sweep.wait();
    // The server may be at work on what the dead one has sent; its row is locked as long.
    sql("UPDATE {}.threadkeep_retention_runs SET alive_until = now() - interval '1 second'");
    const auto left = stored();
    const auto kept = archived();
    for (const auto& thread : all) {
      EXPECT_TRUE(left.contains(thread) || kept.contains(thread)) << thread;
    }
  }
  EXPECT_EQ(report({"sweep", "--yes", "--archive", archives()}).at("finished"), true);
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(archived(), all);
  shell("ls -r archives/*.zst | while read -r file; do threadkeep threads import \"$file\"; done");
  EXPECT_EQ(stored(), all);
}

TEST_F(CliArchivePostgres, deletes_nothing_of_a_batch_that_does_not_fit_on_the_disk) {
  store_old(6);
  const auto all = stored();
  // A file of 4 kB has room for two threads and not for four.
  const auto swept = shell(
      "trap '' XFSZ; ulimit -f 4; threadkeep retention sweep --yes --json --batch-size 4 "
      "--archive archives",
      failed);
  EXPECT_EQ(json::parse(swept).at("code"), "no_space") << swept;
  EXPECT_EQ(stored(), all);
  EXPECT_TRUE(std::filesystem::is_empty(archives()));
  shell(
      "trap '' XFSZ; ulimit -f 4; threadkeep retention sweep --yes --batch-size 2 "
      "--archive archives");
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(archived(), all);
}

TEST_F(CliArchivePostgres, lets_a_role_archive_that_may_read_and_sweep) {
  testing::PostgresServer::shared().run("CREATE ROLE archivist LOGIN");
  retention({"install", "--grantee", "archivist"});
  testing::PostgresServer::shared().run(
      run({"setup", "--print-sql", "--role", "cron", "--grantee", "archivist"}, done));
  store_old(3);
  std::string place = url_;
  place.replace(place.find("threadkeep@"), 11, "archivist@");
  retention({"apply", "--archive", "required"});
  EXPECT_EQ(report({"sweep", "--yes", "--archive", archives(), "--url", place}).at("threads"), 3);
  EXPECT_EQ(archived().size(), 3U);
}
#endif

}  // namespace
}  // namespace threadkeep
