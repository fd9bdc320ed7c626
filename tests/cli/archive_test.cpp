// SPDX-License-Identifier: Apache-2.0
// `threadkeep threads export` and `import`, as a person or a script runs them.
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "progress.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_SQLITE
namespace threadkeep {
namespace {

using Json = nlohmann::json;
using testing::Draft;
using testing::pending;

class ArchiveCommand : public Cli {
 protected:
  ArchiveCommand() {
    for (const auto* id : {"ada", "bob"}) {
      store->write(PutThread{id, R"({"user": ")" + std::string(id) + "\"}"}, {});
      store->write(Draft(id, "1").value("messages", "1", "hello"), {});
      store->write(Draft(id, "2").parent("1").value("messages", "2", "again"), {});
      store->write(PutWrites{id, "", "2", {pending("task", 0, "messages", "w")}}, {});
    }
  }

  std::string path(const std::string& name) const { return directory.path() / name; }
  std::string store_url(const std::string& name) const { return "sqlite:" + path(name); }

  std::string run_export(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), {"threads", "export", "--url", url});
    return run(arguments, status);
  }
  std::string run_import(Arguments arguments, int status = done) {
    arguments.insert(arguments.begin(), {"threads", "import", "--url", store_url("new.db")});
    return run(arguments, status);
  }
  std::string shell(const std::string& line, int status = 0) {
    const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
    return testing::run_program(
        {"/bin/bash", "-c", "set -o pipefail; export PATH=\"$0:$PATH\"; cd \"$1\"; " + line, bin,
         directory.path()},
        status);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      const std::string name = entry.path().filename();
      if (!contains(name, ".db")) names.push_back(name);
    }
    return names;
  }

  const std::shared_ptr<Store> store = open(url);
};

TEST_F(ArchiveCommand, takes_threads_from_one_store_to_another) {
  EXPECT_TRUE(contains(run_export({"ada", "--output", path("a")}), "exported 1 thread, 2 check"));
  EXPECT_EQ(run_import({path("a")}),
            "restored 1 thread with 2 checkpoints; 0 unchanged, 0 with problems\n");
  EXPECT_EQ(run_import({path("a")}),
            "restored 0 threads with 0 checkpoints; 1 unchanged, 0 with problems\n");
  const auto copy = open(store_url("new.db"));
  const auto tuple = copy->get({"ada", "", {}, {}}, {});
  ASSERT_TRUE(tuple);
  EXPECT_EQ(tuple->values, store->get({"ada", "", {}, {}}, {})->values);
  EXPECT_EQ(tuple->writes.size(), 1U);
  EXPECT_FALSE(copy->get({"bob", "", {}, {}}, {}));
}

TEST_F(ArchiveCommand, reports_as_json) {
  const auto exported = Json::parse(run_export({"--all", "--json", "--output", path("a")}));
  EXPECT_EQ(exported.at("bytes"), std::filesystem::file_size(path("a")));
  EXPECT_EQ(exported.at("ok"), true);
  EXPECT_EQ(exported.at("threads"), 2);
  EXPECT_EQ(exported.at("checkpoints"), 4);
  EXPECT_EQ(exported.at("blobs"), 4);
  EXPECT_EQ(exported.at("writes"), 2);
  EXPECT_TRUE(contains(run_import({path("a"), "--dry-run"}, failed), "there is no store"));
  open(store_url("new.db"))->setup({});
  for (const bool dry_run : {true, false}) {
    Arguments arguments{path("a"), "--json"};
    if (dry_run) arguments.emplace_back("--dry-run");
    const auto imported = Json::parse(run_import(arguments));
    EXPECT_EQ(imported, (Json{{"ok", true},
                              {"dry_run", dry_run},
                              {"restored", 2},
                              {"unchanged", 0},
                              {"failed", 0},
                              {"checkpoints", 4},
                              {"blobs", 4},
                              {"writes", 2},
                              {"messages", 0},
                              {"states", 0},
                              {"problems", Json::array()}}));
  }
}

TEST_F(ArchiveCommand, takes_threads_by_their_metadata) {
  const auto exported =
      Json::parse(run_export({"--metadata", "user=bob", "--json", "--output", path("a")}));
  EXPECT_EQ(exported.at("threads"), 1);
  EXPECT_TRUE(contains(shell("zstd -dc a"), "\"thread_id\":\"bob\""));
}

TEST_F(ArchiveCommand, replaces_no_file_unless_it_is_told_to) {
  std::ofstream(path("a")) << "mine";
  const auto refused = run_export({"--all", "--output", path("a")}, usage);
  EXPECT_TRUE(contains(refused, "is there already; choose another name, or say --overwrite"));
  EXPECT_EQ(shell("cat a"), "mine");
  run_export({"--all", "--overwrite", "--output", path("a")});
  EXPECT_TRUE(contains(shell("zstd -dc a"), "archive_end"));
  EXPECT_EQ(files(), std::vector<std::string>{"a"});
  struct stat info {};
  ASSERT_EQ(::stat(path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U) << "what users said is for its owner only";
}

TEST_F(ArchiveCommand, leaves_no_file_behind_when_it_fails) {
  const auto told = run_export({"ada", "nobody", "--output", path("a")}, failed);
  EXPECT_TRUE(contains(told, "no checkpoints of thread 'nobody'")) << told;
  EXPECT_TRUE(files().empty());
  EXPECT_TRUE(contains(run_export({"--all", "--output", path("no/where")}, failed),
                       "cannot write " + path("no/where")));
}

TEST_F(ArchiveCommand, wants_to_know_which_threads_and_where) {
  EXPECT_TRUE(contains(run_export({"--output", path("a")}, usage), "which threads?"));
  EXPECT_TRUE(contains(run_export({"--all"}, usage), "--output is required"));
  run_export({"ada", "--all", "--output", path("a")}, usage);
  EXPECT_TRUE(contains(run_export({"--all", "--json", "--output", "-"}, usage), "needs a file"));
  EXPECT_TRUE(contains(run_import({path("nothing")}, usage), "No such file"));
}

TEST_F(ArchiveCommand, streams_from_one_store_into_another) {
  shell("threadkeep threads export --all --output - --url " + url +
        " | threadkeep threads import - --url " + store_url("new.db"));
  EXPECT_EQ(open(store_url("new.db"))->threads({}, {}).items.size(), 2U);
}

TEST_F(ArchiveCommand, tells_conflicts_and_goes_on) {
  run_export({"--all", "--output", path("a")});
  open(store_url("new.db"))->write(PutThread{"ada", R"({"user": "other"})"}, {});
  const auto told = run_import({path("a")}, failed);
  EXPECT_TRUE(contains(told, "thread 'ada': conflict: the metadata of the thread differs")) << told;
  EXPECT_TRUE(contains(told, "restored 1 thread with 2 checkpoints; 0 unchanged, 1 with problems"));
  const auto summary = Json::parse(run_import({path("a"), "--json"}, failed));
  EXPECT_EQ(summary.at("ok"), false);
  EXPECT_EQ(summary.at("unchanged"), 1);
  EXPECT_EQ(summary.at("problems").at(0).at("thread_id"), "ada");
  EXPECT_EQ(summary.at("problems").at(0).at("code"), "conflict");
}

TEST_F(ArchiveCommand, tells_damage_and_what_was_done_before_it) {
  run_export({"--all", "--output", path("a")});
  shell("zstd -dc a | head -n 9 | zstd -qo b");
  const auto told = run_import({path("b")}, failed);
  EXPECT_TRUE(contains(told, "corrupt: archive, line 10: the archive ends before its last line"))
      << told;
  EXPECT_TRUE(contains(told, "restored 1 thread")) << told;
  EXPECT_EQ(Json::parse(run_import({path("b"), "--json"}, failed)).at("code"), "corrupt");
}

// The commands of docs/storage/archive.md, on the file that it names.
TEST_F(ArchiveCommand, makes_what_other_tools_can_read) {
  run_export({"--all", "--output", path("backup.jsonl.zst")});
  std::ifstream page(ARCHIVE_PAGE);
  std::vector<std::string> answers;
  bool shell_block = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      shell_block = line == "```sh";
    } else if (shell_block) {
      answers.push_back(shell(line));
    }
  }
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0], "null\nnull\nnull\nnull\n");
  EXPECT_EQ(answers[1], "again\nhello\nagain\nhello\n");
  EXPECT_EQ(answers[2].substr(0, 64), answers[3].substr(0, 64));
}

// ---- Killed ----

// Threads that take a while.
void put_many(Store& store) {
  std::vector<Mutation> all;
  for (int i = 0; i < 150; ++i) {
    const std::string id = "thread " + std::to_string(1000 + i);
    all.emplace_back(PutThread{id, R"({"n": )" + std::to_string(i) + "}"});
    for (int step = 1; step <= 6; ++step) {
      const auto number = std::to_string(step);
      Draft draft(id, number);
      if (step > 1) draft.parent(std::to_string(step - 1));
      draft.value("messages", number, std::string(20'000, static_cast<char>('a' + step)));
      all.emplace_back(draft);
      all.emplace_back(PutWrites{id, "", number, {pending("task", 0, "messages", "w")}});
    }
    all.emplace_back(PutWrites{id, "", "7", {pending("task", 0, "messages", "loose")}});
  }
  for (const auto& outcome : store.write_all(std::move(all), {})) ASSERT_FALSE(outcome.error);
}

TEST_F(ArchiveCommand, can_be_killed_at_any_moment_and_run_again) {
  put_many(*store);
  run_export({"--all", "--output", path("a")});
  const auto original = shell(
      "zstd -dc a | jq -c 'select(.kind == \"thread\") |= "
      "{kind, thread_id, metadata} | del(.sha256)' | sha256sum");
  std::mt19937 random(static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()));
  for (int round = 0; round < 4; ++round) {
    const std::string target = "target" + std::to_string(round) + ".db";
    int kills = 0;
    for (; kills < 8; ++kills) {
      testing::Program import(
          {THREADKEEP_COMMAND, "threads", "import", path("a"), "--url", store_url(target)});
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
      import.kill();
      if (import.wait() == 0) break;
    }
    EXPECT_TRUE(contains(run({"threads", "import", path("a"), "--url", store_url(target)}, done),
                         " 0 with problems"));
    run({"threads", "export", "--all", "--output", path("b"), "--overwrite", "--url",
         store_url(target)},
        done);
    EXPECT_EQ(shell("zstd -dc b | jq -c 'select(.kind == \"thread\") |= "
                    "{kind, thread_id, metadata} | del(.sha256)' | sha256sum"),
              original)
        << "round " << round << " after " << kills << " kills";
  }
}

TEST_F(ArchiveCommand, leaves_the_file_that_is_there_when_it_is_killed) {
  put_many(*store);
  std::ofstream(path("a")) << "mine";
  for (const int wait : {1, 5, 20, 50, 100}) {
    testing::Program killed({THREADKEEP_COMMAND, "threads", "export", "--all", "--overwrite",
                             "--output", path("a"), "--url", url});
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    killed.kill();
    if (killed.wait() == 0) continue;
    const auto text = shell("cat a");
    EXPECT_TRUE(text == "mine" || contains(shell("zstd -dc a | tail -n 1"), "archive_end"));
  }
}

// ---- Progress ----

TEST(ProgressLine, has_a_bar_a_rate_and_the_time_that_is_left) {
  using cli::Progress;
  using std::chrono::seconds;
  EXPECT_EQ(Progress::line({25, 100, "25 threads", 10'485'760}, seconds(10), 0),
            "[#####...............] 25% 25 threads, 1.0 MiB/s, 0:30 left");
  EXPECT_EQ(Progress::line({1, 10'001, "1 thread", 0}, seconds(1), 0),
            "[....................] 0% 1 thread, 0 B/s, 2:46:40 left");
  EXPECT_EQ(Progress::line({3, std::nullopt, "3 threads", 2048}, seconds(2), 0),
            "3 threads, 1.0 KiB/s");
  EXPECT_EQ(Progress::line({300, 1200, "users", 0, "rows"}, seconds(2), 0),
            "[#####...............] 25% users, 150 rows/s, 0:06 left");
  EXPECT_EQ(Progress::line({300, 1200, "users", 2048, "rows"}, seconds(2), 0),
            "[#####...............] 25% users, 1.0 KiB/s, 0:06 left");
  EXPECT_EQ(Progress::line({5, 4, "5 threads", 0}, seconds(1), 0),
            "[####################] 100% 5 threads, 0 B/s, 0:00 left");
  EXPECT_EQ(Progress::line({25, 100, "25 threads", 0}, seconds(10), 30).size(),
            29 + std::string("…").size());
}

}  // namespace
}  // namespace threadkeep
#endif
