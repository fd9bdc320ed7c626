// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/lockstep.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "layered_backends.hpp"

// THREADKEEP_LOCKSTEP_SEED=N runs one seed again; THREADKEEP_LOCKSTEP_SEEDS=N runs N of them (else
// as many as take less than a minute), and THREADKEEP_LOCKSTEP_START=N begins elsewhere than at 1.

namespace threadkeep::testing {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

std::vector<std::uint64_t> seeds(const BackendSpec& backend) {
  if (const auto one = number_from("THREADKEEP_LOCKSTEP_SEED", 0)) return {one};
  const bool has_server = backend.name.starts_with("postgres") || backend.name == "tiered";
  const auto count = number_from("THREADKEEP_LOCKSTEP_SEEDS", has_server ? 60 : 200);
  const auto start = number_from("THREADKEEP_LOCKSTEP_START", 1);
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < count; ++i) seeds.push_back(start + i);
  return seeds;
}

// Runs all seeds, on two threads; the reports of those that fail.
std::vector<std::string> run_all(const BackendSpec& backend, const BackendSpec& oracle) {
  const auto all = seeds(backend);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::vector<std::string> reports;
  const auto work = [&] {
    for (auto i = next++; i < all.size(); i = next++) {
      const auto report = run_lockstep(backend, oracle, {.seed = all[i]});
      if (!report) continue;
      const std::lock_guard lock(mutex);
      reports.push_back(*report);
      next = all.size();  // One finding is enough to work on.
    }
  };
  std::thread other(work);
  work();
  other.join();
  return reports;
}

class Lockstep : public ::testing::TestWithParam<BackendSpec> {};

TEST_P(Lockstep, agrees_with_memory) {
  for (const auto& report : run_all(GetParam(), backend_at("memory", "memory:"))) {
    ADD_FAILURE() << report << "\nagain: THREADKEEP_LOCKSTEP_SEED=... with the seed above";
  }
}

// Memory against itself: the run is deterministic, so that a difference means something.
INSTANTIATE_TEST_SUITE_P(, Lockstep, ::testing::ValuesIn(backends_and_layers()),
                         [](const auto& test) { return test.param.name; });

// A store that forgets the metadata of every tenth checkpoint.
class Forgetful final : public Backend {
 public:
  explicit Forgetful(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    std::vector<Mutation> changed(batch.begin(), batch.end());
    for (auto& mutation : changed) {
      auto* put = std::get_if<PutCheckpoint>(&mutation);
      if (put != nullptr && ++puts_ % 10 == 0) put->metadata = "{}";
    }
    return backend_->apply(changed, call);
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return backend_->get(query, call);
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return backend_->list(query, call);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return backend_->history(query, call);
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return backend_->threads(query, call);
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return backend_->thread(query, call);
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    return backend_->loose_writes(query, call);
  }
  Capabilities capabilities() const override {
    auto capabilities = backend_->capabilities();
    capabilities.sessions = false;
    return capabilities;
  }
  Health ping(const Call& call) override { return backend_->ping(call); }
  void setup(const Call& call) override { backend_->setup(call); }

 private:
  std::unique_ptr<Backend> backend_;
  std::atomic<int> puts_ = 0;
};

TEST(LockstepItself, finds_a_difference_and_shrinks_it) {
  const BackendSpec forgetful{"forgetful", [](const Environment& environment) {
                                return std::make_shared<Store>(std::make_unique<Forgetful>(
                                    Registry::builtin().open("memory:", environment)));
                              }};
  const auto report = run_lockstep(forgetful, backend_at("memory", "memory:"), {.seed = 1});
  ASSERT_TRUE(report);
  EXPECT_NE(report->find("seed 1, 500 operations"), std::string::npos) << *report;
  const std::string mark = "shrunk to ";
  const auto at = report->find(mark);
  ASSERT_NE(at, std::string::npos) << *report;
  EXPECT_LE(std::stoi(report->substr(at + mark.size())), 10) << *report;  // It takes ten puts.
}

}  // namespace
}  // namespace threadkeep::testing
