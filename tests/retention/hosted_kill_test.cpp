// SPDX-License-Identifier: Apache-2.0
// Sweepers that are killed.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

class HostedKills : public Hosted {
 protected:
  // In a process of its own, as a command that cron starts, which is killed after a while.
  void kill_sweep_after(std::chrono::milliseconds time) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      _exit(sweep_once());
    }
    std::this_thread::sleep_for(time);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "a sweep has failed";
  }

 private:
  int sweep_once() {
    try {
      TestClock clock;
      clock.set(clock_.now());
      Store store(clock.open(url()));
      SweepOptions options;
      options.batch_size = 1;
      open_retention(store)->sweep(options, Call());
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }
};

TEST_P(HostedKills, leave_what_stays_as_it_was) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  apply(random_policies);
  std::vector<RandomThread> threads;
  for (int i = 0; i < 200; ++i) {
    // Their times are whole hours before then, so that the minutes of this test decide nothing.
    threads.push_back(make_random_thread(random, i, clock_.now() - 1800 * second));
    Hosted::store(threads.back());
  }
  const Content before = load(store_);
  const Content expected = survivors(threads, before, clock_.now());
  for (int kills = 0; kills < 20; ++kills) {
    kill_sweep_after(std::chrono::milliseconds(random() % 60));
    const Content after = load(store_);
    expect_equal(after, before);
    for (const auto& [key, loaded] : expected) EXPECT_TRUE(after.contains(key));
    expect_no_orphans(after);
    clock_.pass(61 * second);
  }
  sweep();
  const Content after = load(store_);
  EXPECT_EQ(after.size(), expected.size());
  expect_equal(after, expected);
  expect_no_orphans(after);
}

// What is in memory does not outlive its process.
std::vector<std::string> shared_urls() {
  auto urls = hosted_urls();
  std::erase(urls, "memory:");
  return urls;
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedKills, ::testing::ValuesIn(shared_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
