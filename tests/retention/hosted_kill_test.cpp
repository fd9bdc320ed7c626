// SPDX-License-Identifier: Apache-2.0
// Sweepers that are killed.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

/// A process that ends with SIGKILL at the latest with this object.
class Child {
 public:
  explicit Child(const std::function<void()>& body) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(run(body));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }

  /// Where it has come to its end before, it must have gone well.
  void kill() {
    if (pid_ < 0) return;
    int status = 0;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "a process has failed";
  }

 private:
  static int run(const std::function<void()>& body) {
    try {
      body();
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  }

  pid_t pid_;
};

class HostedKills : public Hosted {
 protected:
  // In a process of its own, as a command that cron starts.
  void sweep_in_child(std::uint32_t batch = 1) {
    TestClock clock;
    clock.set(clock_.now());
    Store store(clock.open(url()));
    SweepOptions options;
    options.batch_size = batch;
    open_retention(store)->sweep(options, patient());
  }

  // How many threads the audit says have gone, and how many more may have.
  std::pair<std::uint64_t, std::uint64_t> audited() {
    std::uint64_t gone = 0;
    std::uint64_t begun = 0;
    for (const auto& entry : retention_->audit("", 100'000, patient()).items) {
      if (entry.action == "sweep") gone += entry.threads;
      if (entry.action == "sweep begun") begun += entry.threads;
    }
    return {gone, begun};
  }

  // Goes on with a thread for ever, and writes down what was acknowledged.
  void write_in_child() {
    TestClock clock;
    clock.set(clock_.now());
    Store store(clock.open(url()));
    std::ofstream acknowledged(acknowledged_path());
    for (int i = 1;; ++i) {
      Draft draft("live", id_of(i));
      if (i > 1) draft.parent(id_of(i - 1));
      store.write(draft.value("a", std::to_string(i), id_of(i)), Call());
      acknowledged << i << std::endl;
    }
  }
  // A number whose ids are in the order of the numbers.
  static std::string id_of(int number) { return std::to_string(1'000'000 + number); }
  std::string acknowledged_path() const { return (directory_.path() / "acknowledged").string(); }
  int last_acknowledged() const {
    std::ifstream file(acknowledged_path());
    int last = 0;
    for (std::string line; std::getline(file, line) && !file.eof();) last = std::stoi(line);
    return last;
  }
  void wait_for_more(int than) {
    for (int tries = 0; last_acknowledged() <= than && tries < 6000; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(last_acknowledged(), than);
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
    Child sweeper([&] { sweep_in_child(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    sweeper.kill();
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

TEST_P(HostedKills, leave_their_turn_to_other_processes_that_write) {
  for (int i = 0; i < 100; ++i) put_line("old-" + std::to_string(i), 9);
  apply(R"([{"name": "short", "idle": "off", "keep_last": 2}])");
  Child writer([&] { write_in_child(); });
  for (int kills = 0; kills < 15; ++kills) {
    const int before = last_acknowledged();
    Child sweeper([&] { sweep_in_child(); });
    wait_for_more(before);
    sweeper.kill();
    clock_.pass(61 * second);
  }
  writer.kill();
  sweep();  // goes on where the last one was killed
  sweep();
  const auto left = ids("live");
  ASSERT_EQ(left.size(), 2U);
  EXPECT_GE(left[1], id_of(last_acknowledged()));
  const auto latest = store_.get({"live", "", left[1], {}}, Call());
  ASSERT_EQ(latest->values.size(), 1U);
  EXPECT_EQ(latest->values[0].data.view(), left[1]);
  EXPECT_EQ(ids("old-7"), (std::vector<std::string>{"8", "9"}));
  expect_no_orphans(load(store_));
}

TEST_P(HostedKills, leave_a_trace_of_all_that_went) {
  constexpr std::uint64_t threads = 400;
  for (int i = 0; i < 400; ++i) store_.write(Draft(id_of(i), "1"), Call());
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  std::mt19937_64 random(std::random_device{}());
  for (int kills = 0; kills < 40 && !this->threads().empty(); ++kills) {
    Child sweeper([&] { sweep_in_child(250); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 200));
    sweeper.kill();
    const auto [gone, begun] = audited();
    const std::uint64_t left = rows("threads");
    EXPECT_LE(gone, threads - left);
    EXPECT_GE(gone + begun, threads - left) << "something went without a trace";
    clock_.pass(61 * second);
  }
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
