// SPDX-License-Identifier: Apache-2.0
// threadkeep retention schedule --install: sweeps by cron and systemd.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "sweep_job.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep {
namespace {

cli::SweepJob job_of(const Arguments& store, const std::string& archive = "/archives") {
  Arguments command = {"/bin/threadkeep", "retention", "sweep", "--yes"};
  command.insert(command.end(), store.begin(), store.end());
  command.insert(command.end(), {"--archive", archive});
  return {store, command};
}

void expect_invalid(const std::function<void()>& act, const std::string& text) {
  try {
    act();
    ADD_FAILURE() << "nothing was thrown for " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument) << text;
  }
}

TEST(SweepJob, writes_no_control_characters_into_crontabs_and_units) {
  for (const char* control : {"\n", "\r", "\t", "\x01", "\x1b", "\x7f"}) {
    const std::string word = std::string("/a") + control + "* * * * * touch /b";
    for (const auto& job :
         {job_of({"--config", "/c"}, word), job_of({"--config", word}),
          job_of({"--url", "sqlite:" + word}), job_of({"--config", "/c", "--store", word})}) {
      expect_invalid([&] { (void)job.crontab_line("* * * * *"); }, word);
      expect_invalid([&] { (void)job.service(); }, word);
    }
  }
}

TEST(SweepJob, writes_a_backslash_into_units_only) {
  const auto job = job_of({"--config", "/c"}, R"(/a\% b)");
  expect_invalid([&] { (void)job.crontab_line("* * * * *"); }, "a backslash");
  EXPECT_TRUE(contains(job.service(), R"("/a\\%% b")")) << job.service();
}

TEST(SweepJob, names_units_of_each_store_in_another_way) {
  const Arguments same = {"--url", "sqlite:/x/a-u.db"};
  const auto name = job_of(same).unit_name();
  EXPECT_EQ(name, job_of(same, "/elsewhere").unit_name());
  EXPECT_EQ(name, "threadkeep-retention-url-sqlite--x-a-u.db-fef5322a90a751ef");
  EXPECT_NE(name, job_of({"--url", "sqlite:/x/a/u.db"}).unit_name());
  EXPECT_NE(job_of({"--config", "/a", "--store", "b"}).unit_name(),
            job_of({"--config", "/a--store-b"}).unit_name());
  const std::string deep(400, 'a');
  const auto first = job_of({"--url", "sqlite:/" + deep + "/1"}).unit_name();
  EXPECT_NE(first, job_of({"--url", "sqlite:/" + deep + "/2"}).unit_name());
  EXPECT_LT((first + ".service.partial-XXXXXX").size(), 255U);
}

TEST(SweepJob, starts_by_systemd_at_the_times_of_cron_and_after_a_restart) {
  const auto timer = [](const char* expression) { return cli::SweepJob::timer(expression); };
  EXPECT_TRUE(contains(timer("*/15 * * * *"), "OnCalendar=*-*-* *:0/15:00\nPersistent=true\n"));
  EXPECT_TRUE(contains(timer("0 */2 * * *"), "OnCalendar=*-*-* 0/2:0:00\n"));
  EXPECT_TRUE(contains(timer("0 0 * * *"), "OnCalendar=*-*-* 0:0:00\n"));
}

#ifdef THREADKEEP_TEST_SQLITE
/// A file with one thread that is due.
class CliSchedule : public Cli {
 protected:
  CliSchedule() {
    std::ofstream(directory.path() / "threadkeep.yaml")
        << "retention: {policies: [{name: week, idle: 7d}]}\n";
    Environment environment = Environment::system();
    environment.now = [] { return std::int64_t{1'700'000'000'000'000}; };
    Store(Registry::builtin().open(url, environment))
        .write(testing::Draft("old", "1").value("a", "1", "x"), Call());
    setenv("THREADKEEP_CONFIG", (directory.path() / "threadkeep.yaml").c_str(), 1);
    retention({"apply"});
  }
  ~CliSchedule() override { unsetenv("THREADKEEP_CONFIG"); }

  std::string retention(Arguments arguments, int status = done) const {
    arguments.insert(arguments.begin(), "retention");
    arguments.insert(arguments.end(), {"--url", url});
    return run(std::move(arguments), status);
  }
  std::size_t threads() const {
    return Store(Registry::builtin().open(url)).threads({}, Call()).items.size();
  }
  std::vector<std::filesystem::path> units() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().filename().string().starts_with("threadkeep-retention-")) {
        found.push_back(entry.path());
      }
    }
    std::ranges::sort(found);
    return found;
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

TEST_F(CliSchedule, writes_units_of_systemd_that_sweep) {
  const std::string here = directory.path();
  const auto written = retention({"schedule", "--every", "2h", "--archive", here, "--install",
                                  "systemd", "--unit-directory", here});
  EXPECT_TRUE(contains(written, "enable --now threadkeep-retention-url-sqlite-")) << written;
  retention({"schedule", "--every", "1h", "--archive", here, "--install", "systemd",
             "--unit-directory", here});
  ASSERT_EQ(units().size(), 2U);
  EXPECT_TRUE(contains(text_of(units()[1]), "OnCalendar=*-*-* 0/1:0:00\n"));
  const auto service = text_of(units()[0]);
  const auto command = service.substr(service.find("ExecStart=") + 10);
  testing::run_program({"/bin/sh", "-c", "cd /; " + command});
  EXPECT_EQ(threads(), 0U);
  const auto gone = retention({"unschedule", "--from", "systemd", "--unit-directory", here});
  EXPECT_TRUE(contains(gone, "deleted the units"));
  EXPECT_TRUE(units().empty());
  EXPECT_TRUE(contains(retention({"unschedule", "--from", "systemd", "--unit-directory", here}),
                       "there are no units"));
}

TEST_F(CliSchedule, refuses_an_archive_whose_name_would_be_another_job) {
  const auto place = directory.path() / "a\n* * * * * touch b #";
  std::filesystem::create_directory(place);
  const auto refused = retention({"schedule", "--archive", place}, usage);
  EXPECT_TRUE(contains(refused, "control characters")) << refused;
  EXPECT_TRUE(contains(refused, "a\\n*")) << "as one line: " << refused;
}

TEST_F(CliSchedule, takes_no_empty_word_for_a_directory) {
  EXPECT_TRUE(contains(retention({"schedule", "--archive", ""}, usage), "--archive"));
  const Arguments install = {"schedule", "--install", "systemd", "--unit-directory", ""};
  EXPECT_TRUE(contains(retention(install, usage), "--unit-directory"));
  retention({"unschedule", "--from", "systemd", "--unit-directory", ""}, usage);
}

TEST_F(CliSchedule, refuses_sweeps_without_an_archive_where_one_is_required) {
  retention({"apply", "--archive", "required"});
  EXPECT_TRUE(contains(retention({"schedule"}, failed), "--archive DIRECTORY"));
  const std::string here = directory.path();
  EXPECT_TRUE(contains(retention({"schedule", "--archive", here}), "--archive " + here));
}

TEST_F(CliSchedule, tries_out_the_directory_of_archives) {
  const std::string absent = directory.path() / "absent";
  EXPECT_TRUE(contains(retention({"schedule", "--archive", absent}, usage), "create it"));
  retention({"schedule", "--archive", "/sys"}, failed);
}

TEST_F(CliSchedule, makes_the_directory_of_units) {
  const auto place = directory.path() / "new" / "user";
  retention({"schedule", "--install", "systemd", "--unit-directory", place});
  EXPECT_FALSE(std::filesystem::is_empty(place));
  const auto below_a_file = directory.path() / "threadkeep.yaml" / "user";
  EXPECT_TRUE(contains(
      retention({"schedule", "--install", "systemd", "--unit-directory", below_a_file}, failed),
      "cannot write"));
}

#ifdef THREADKEEP_TEST_CRONTAB
/// The crontab of whoever runs this, which is put back in the end.
class CliCrontab : public CliSchedule {
 protected:
  ~CliCrontab() override { crontab(before_.empty() ? "-r" : "-", before_); }

  static std::string crontab(const std::string& words, const std::string& input = {}) {
    return testing::run_program({"/bin/sh", "-c", "crontab " + words + " 2>/dev/null || true"}, 0,
                                input);
  }

  const std::string before_ = crontab("-l");
};

TEST_F(CliCrontab, gets_a_line_and_keeps_all_others) {
  const std::string mine = before_ + "# mine\n0 4 * * * true\n";
  crontab("-", mine);
  retention({"schedule", "--every", "2h", "--install", "crontab"});
  retention({"schedule", "--every", "1h", "--install", "crontab"});
  const std::string changed = crontab("-l");
  ASSERT_TRUE(changed.starts_with(mine)) << changed;
  const auto line = changed.find("\n0 */1 * * * ", mine.size());
  ASSERT_NE(line, std::string::npos) << changed;
  EXPECT_FALSE(contains(changed, "*/2"));
  testing::run_program({"/bin/sh", "-c", "cd /; " + changed.substr(line + 13)});
  EXPECT_EQ(threads(), 0U);
  EXPECT_TRUE(contains(retention({"unschedule", "--from", "crontab"}), "no more"));
  EXPECT_EQ(crontab("-l"), mine);
  EXPECT_TRUE(contains(retention({"unschedule", "--from", "crontab"}), "has no line"));
}

TEST_F(CliCrontab, loses_only_the_sweep_below_the_mark) {
  retention({"schedule", "--install", "crontab"});
  const std::string changed = crontab("-l");
  const auto sweep = changed.rfind('\n', changed.size() - 2) + 1;
  crontab("-", changed.substr(0, sweep) + "0 4 * * * true\n");
  retention({"unschedule", "--from", "crontab"});
  EXPECT_EQ(crontab("-l"), before_ + "0 4 * * * true\n");
}

TEST_F(CliCrontab, gets_nothing_of_what_the_program_says_beside_it) {
  crontab("-", before_ + "0 4 * * * true\n");
  const auto program = directory.path() / "crontab";
  std::ofstream(program) << "#!/bin/sh\necho a warning >&2\nPATH=${PATH#*:} exec crontab \"$@\"\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (directory.path().string() + ":" + path).c_str(), 1);
  retention({"schedule", "--install", "crontab"});
  setenv("PATH", path.c_str(), 1);
  const auto changed = crontab("-l");
  EXPECT_TRUE(contains(changed, " retention sweep ")) << changed;
  EXPECT_FALSE(contains(changed, "warning")) << changed;
}
#endif
#endif

}  // namespace
}  // namespace threadkeep
