// SPDX-License-Identifier: Apache-2.0
// What goes wrong with servers while programs work: the table of conditions and of the errors that
// calls end with, through both interfaces. Networks that fail are tests/postgres/faults_test.cpp
// and tests/redis/faults_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <iterator>
#include <random>
#include <set>
#include <thread>

#include "condition.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/access.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::chaos_test {
namespace {

using namespace std::chrono_literals;
using testing::Access;
using testing::AccessKind;
using testing::Draft;

constexpr auto patience = 3s;   // of a call
constexpr auto slack = 5s;      // of a busy machine
constexpr auto recovery = 30s;  // of a server too

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + recovery;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::ptrdiff_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

// Which no server can make smaller.
std::string noise(std::mt19937& random, std::size_t size) {
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('!' + random() % 90);
  return text;
}

// One who writes and reads in turn, without a pause when it fails.
class Worker {
 public:
  Worker(Access& access, const Case& expected, int number)
      : access_(access), expected_(expected), thread_id_("t" + std::to_string(number)) {}

  void work(const std::stop_token& stop) {
    for (int i = 1; !stop.stop_requested(); ++i) {
      const std::string id = std::to_string(100'000 + i);
      const auto draft = Draft(thread_id_, id).value("a", id, noise(random_, 16'000));
      const auto error = ended([&](const Call& call) { access_.write(PutCheckpoint(draft), call); },
                               writes_, expected_.write);
      if (!error) {
        acknowledged_.insert(id);
      } else if (*error != Code::outcome_unknown) {
        refused_.insert(id);
      }
      ended([&](const Call& call) { read(call); }, reads_, expected_.read);
      std::this_thread::sleep_for(5ms);
    }
  }

  // Since the last look.
  bool succeeded() { return writes_.successes > 2 && reads_.successes > 2; }
  bool reads_succeeded() { return reads_.successes > 2; }
  bool failed_as_expected() {
    return writes_.failures > 2 && (!expected_.read || reads_.failures > 2);
  }
  void look() {
    for (Counts* counts : {&writes_, &reads_}) counts->successes = counts->failures = 0;
  }

  // All that was acknowledged is there, and nothing that was refused.
  void expect_told_truly() {
    for (const auto& id : acknowledged_) EXPECT_TRUE(stored(id)) << thread_id_ << " " << id;
    for (const auto& id : refused_) EXPECT_FALSE(stored(id)) << thread_id_ << " " << id;
  }

 private:
  struct Counts {
    std::atomic<int> successes = 0;
    std::atomic<int> failures = 0;
  };

  bool stored(const std::string& id) {
    return access_.get({thread_id_, "", id, {}}, Call()).has_value();
  }

  // What was acknowledged is never missing.
  void read(const Call& call) {
    const auto found = access_.get({thread_id_, "", {}, {}}, call);
    if (acknowledged_.empty()) return;
    ASSERT_TRUE(found);
    EXPECT_GE(found->checkpoint_id, *acknowledged_.rbegin());
  }

  // What is under way at the moment when a server goes is lost with the connection.
  static bool is_loss(Code code) {
    return code == Code::unavailable || code == Code::outcome_unknown;
  }

  // The error it ends with.
  std::optional<Code> ended(const std::function<void(const Call&)>& run, Counts& counts,
                            std::optional<Code> expected) {
    const auto start = std::chrono::steady_clock::now();
    std::optional<Code> code;
    try {
      run({Deadline::after(patience), {}});
      ++counts.successes;
    } catch (const Error& error) {
      code = error.code();
      EXPECT_TRUE(error.code() == expected || is_loss(error.code())) << error.what();
      if (error.code() == expected) ++counts.failures;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, patience + slack);
    return code;
  }

  Access& access_;
  const Case& expected_;
  const std::string thread_id_;
  std::mt19937 random_{1};
  Counts writes_;
  Counts reads_;
  std::set<std::string> acknowledged_;
  std::set<std::string> refused_;
};

using Parameter = std::tuple<Case, AccessKind>;

// More workers than connections.
class Conditions : public ::testing::TestWithParam<Parameter> {
 protected:
  static constexpr int workers = 6;

  static bool all(std::deque<Worker>& of, bool (Worker::*what)()) {
    for (Worker& worker : of) worker.look();
    return comes_true(
        [&] { return std::all_of(of.begin(), of.end(), [&](Worker& w) { return (w.*what)(); }); });
  }

  // Before, while it lasts, and after.
  static void run(Access& access, Condition& condition, const Case& expected) {
    std::deque<Worker> crew;
    for (int i = 0; i < workers; ++i) crew.emplace_back(access, expected, i);
    std::vector<std::jthread> threads;
    threads.reserve(workers);
    for (Worker& worker : crew) {
      threads.emplace_back([&](const std::stop_token& stop) { worker.work(stop); });
    }
    EXPECT_TRUE(all(crew, &Worker::succeeded)) << "before";
    condition.begin();
    EXPECT_TRUE(all(crew, &Worker::failed_as_expected)) << "while it lasts";
    EXPECT_TRUE(expected.read || all(crew, &Worker::reads_succeeded)) << "reads go on";
    condition.end();
    EXPECT_TRUE(all(crew, &Worker::succeeded)) << "after";
    threads.clear();
    for (Worker& worker : crew) worker.expect_told_truly();
  }
};

TEST_P(Conditions, end_calls_with_a_known_error_and_leave_nothing_behind) {
  const auto& [expected, kind] = GetParam();
  const auto condition = expected.make();
  const auto files = open_files();
  run(*testing::make_access(kind, open(condition->url())), *condition, expected);
  EXPECT_EQ(open_files(), files);
  EXPECT_TRUE(comes_true([&] { return condition->connections() == 0; }));
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
#ifdef THREADKEEP_TEST_POSTGRES
  for (auto& each : postgres_cases()) cases.push_back(std::move(each));
#endif
#ifdef THREADKEEP_TEST_REDIS
  for (auto& each : redis_cases()) cases.push_back(std::move(each));
#endif
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, Conditions,
                         ::testing::Combine(::testing::ValuesIn(all_cases()),
                                            ::testing::Values(AccessKind::sync, AccessKind::async)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" +
                                  testing::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace threadkeep::chaos_test
