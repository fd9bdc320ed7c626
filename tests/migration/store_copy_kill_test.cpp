// SPDX-License-Identifier: Apache-2.0
// Copies whose process is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "backends_under_test.hpp"
#include "store_samples.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::migration_test {
namespace {

using testing::Draft;
using ::testing::IsEmpty;
using testing::pending;

int run(const std::function<void()>& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

// True when the body came to its end before.
bool kill_after(std::chrono::microseconds time, const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(run(body));
  }
  std::this_thread::sleep_for(time);
  ::kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "a copy has failed";
  return WIFEXITED(status);
}

class Kills : public ::testing::TestWithParam<std::string> {
 protected:
  std::string target_url() {
    if (GetParam() == "sqlite") {
      return "sqlite:" + (directory_.path() / "target.db").string() + "?synchronous=normal";
    }
#ifdef THREADKEEP_TEST_REDIS
    if (GetParam() == "redis") return testing::RedisServer::shared().url("prefix=killed");
#endif
#ifdef THREADKEEP_TEST_POSTGRES
    if (GetParam() == "postgres") {
      return testing::bytewise_schemas().url(testing::bytewise_schemas().take());
    }
#endif
    throw std::runtime_error("no such store: " + GetParam());
  }

  testing::TemporaryDirectory directory_;
  const std::string source_url_ =
      "sqlite:" + (directory_.path() / "source.db").string() + "?synchronous=normal";
};

// Enough for several batches.
void fill_many(Store& store) {
  std::vector<Mutation> batch;
  for (int i = 0; i < 1500; ++i) {
    const std::string id = "t" + std::to_string(i);
    batch.emplace_back(Draft(id, "1").value("a", "1", std::string(2000, 'x')));
    batch.emplace_back(Draft(id, "2").parent("1").value("a", "2", id));
    batch.emplace_back(PutWrites{id, "", "2", {pending("task", 0, "a", id)}});
  }
  for (const auto& outcome : store.write_all(std::move(batch), patient())) {
    ASSERT_FALSE(outcome.error);
  }
}

TEST_P(Kills, at_any_time_are_made_good_by_the_next_copy) {
  const std::string target_url = this->target_url();
  {
    Store source(Registry::builtin().open(source_url_, source_environment()));
    fill_all(source, 23);
    fill_many(source);
  }
  const auto body = [&] {
    Store source(Registry::builtin().open(source_url_, source_environment()));
    Store target(Registry::builtin().open(target_url, target_environment()));
    copy(source, target);
  };
  std::mt19937_64 random(29);
  int killed = 0;
  for (int most = 50'000; !kill_after(std::chrono::microseconds(random() % most), body);) {
    most += most / 4;
    ++killed;
  }
  EXPECT_GT(killed, 3);
  Store source(Registry::builtin().open(source_url_, source_environment()));
  Store target(Registry::builtin().open(target_url, target_environment()));
  const auto report = copy(source, target);
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_EQ(report.copied, 0U);
  EXPECT_THAT(texts(verify(source, target)), IsEmpty());
  EXPECT_EQ(everything(target), everything(source));
}

std::vector<std::string> targets() {
  std::vector<std::string> names;
#ifdef THREADKEEP_TEST_SQLITE
  names.emplace_back("sqlite");
#ifdef THREADKEEP_TEST_REDIS
  names.emplace_back("redis");
#endif
#ifdef THREADKEEP_TEST_POSTGRES
  names.emplace_back("postgres");
#endif
#endif
  return names;
}

INSTANTIATE_TEST_SUITE_P(Backends, Kills, ::testing::ValuesIn(targets()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace threadkeep::migration_test
