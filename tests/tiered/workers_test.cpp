// SPDX-License-Identifier: Apache-2.0
// Processes that share threads, each with a tiered store of its own.
#include <sys/mman.h>

#include <array>
#include <new>
#include <random>

#include "processes.hpp"
#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

using postgres_test::require;
using postgres_test::run_processes;

constexpr int processes = 4;
constexpr int threads = 3;
constexpr int steps = 150;

/// What all processes know of the threads.
struct Ledger {
  struct Thread {
    std::atomic<int> given{0};         ///< Numbers for checkpoints.
    std::atomic<int> acknowledged{0};  ///< The greatest that is stored.

    void acknowledge(int number) {
      int before = acknowledged;
      while (before < number && !acknowledged.compare_exchange_weak(before, number)) continue;
    }
  };
  std::array<Thread, threads> all;
};

class SharedLedger {
 public:
  SharedLedger()
      : memory_(mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0)),
        ledger_(new (memory_) Ledger) {}
  ~SharedLedger() { munmap(memory_, sizeof(Ledger)); }
  SharedLedger(const SharedLedger&) = delete;
  SharedLedger& operator=(const SharedLedger&) = delete;

  Ledger::Thread& operator[](int thread) const {
    return ledger_->all.at(static_cast<std::size_t>(thread));
  }

 private:
  void* memory_;
  Ledger* ledger_;
};

class TieredWorkers : public TieredFixture {
 protected:
  static int number_of(const std::string& id) { return id == "-" ? 0 : std::stoi(id); }
  static std::string name_of(int thread) { return "thread " + std::to_string(thread); }

  const SharedLedger ledger_;
};

TEST_F(TieredWorkers, never_read_what_is_older_than_what_was_acknowledged) {
  const auto work = [&](int process) {
    std::mt19937 random(static_cast<unsigned>(process));
    Opened tiered = open();
    for (int step = 0; step < steps; ++step) {
      const int thread = static_cast<int>(random() % threads);
      auto& known = ledger_[thread];
      if (random() % 4 == 0) {
        const int number = ++known.given;
        apply(*tiered, PutCheckpoint(
                           Draft(name_of(thread), padded(number)).value("a", padded(number), "x")));
        known.acknowledge(number);
      }
      if (random() % 50 == 0) RedisServer::shared().run({"FLUSHALL"});
      const int before = known.acknowledged;
      const auto tuple = tiered->get(latest(name_of(thread)), Call());
      const int seen = number_of(tuple ? tuple->checkpoint_id : "-");
      require(seen >= before, "it read an old checkpoint");
      require(!tuple || tuple->values.at(0).version == tuple->checkpoint_id, "values do not fit");
    }
    require(tiered.reads("hit") > 0, "nothing came from Redis");
  };
  run_processes(processes, work);
}

TEST_F(TieredWorkers, never_miss_a_write_that_was_acknowledged) {
  apply(*durable_, PutCheckpoint(Draft("t", "1")));
  const auto work = [&](int process) {
    std::mt19937 random(static_cast<unsigned>(process));
    Opened tiered = open();
    for (int step = 0; step < steps; ++step) {
      auto& known = ledger_[0];
      if (random() % 4 == 0) {
        const int number = ++known.given;
        // A special write: each replaces the one before, and there is always one.
        auto write = pending("task", -1, "x", padded(number));
        apply(*tiered, writes_for("t", "1", {write, pending("task", number, "x", padded(number))}));
        known.acknowledge(number);
      }
      const int before = known.acknowledged;
      const auto tuple = tiered->get(latest("t"), Call());
      require(tuple.has_value(), "the checkpoint is gone");
      const auto has = [&](int number) {
        return std::any_of(tuple->writes.begin(), tuple->writes.end(),
                           [&](const PendingWrite& write) { return write.idx == number; });
      };
      require(before == 0 || has(before), "a write is missing");
    }
  };
  run_processes(processes, work);
  auto tiered = open();
  read(*tiered, "t");
  tiered->drain(Call());
  EXPECT_EQ(read(*tiered, "t"), read(*durable_, "t"));
}

// Each goes on from what it reads, which may be old; one that is refused reads again.
TEST_F(TieredWorkers, fork_no_thread_where_puts_are_checked) {
  const auto work = [&](int process) {
    std::mt19937 random(static_cast<unsigned>(process));
    Opened tiered = open(TieredCheck::put);
    for (int step = 0; step < steps; ++step) {
      const int thread = static_cast<int>(random() % threads);
      const auto tuple = tiered->get(latest(name_of(thread)), Call());
      const int number = number_of(tuple ? tuple->checkpoint_id.substr(0, 6) : "-") + 1;
      // A new id each time: the same one again, after an old read, would be acknowledged twice.
      Draft draft(name_of(thread),
                  padded(number) + "-" + std::to_string(process) + "-" + std::to_string(step));
      if (tuple) draft.parent(tuple->checkpoint_id);
      try {
        apply(*tiered, PutCheckpoint(draft.value("a", padded(number), "x")));
        ++ledger_[thread].acknowledged;
      } catch (const Error& error) {
        require(error.code() == Code::conflict, error.what());
      }
      if (random() % 3 == 0) tiered->drain(Call());
    }
    require(tiered.reads("hit") > 0, "nothing came from Redis");
  };
  run_processes(processes, work);
  EXPECT_EQ(raw_.value("SELECT count(*) FROM (SELECT FROM checkpoints GROUP BY thread_id, "
                       "parent_checkpoint_id HAVING count(*) > 1) AS forks"),
            "0");
  int acknowledged = 0;
  for (int thread = 0; thread < threads; ++thread) acknowledged += ledger_[thread].acknowledged;
  EXPECT_GT(acknowledged, threads);
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoints"), std::to_string(acknowledged));
}

}  // namespace
}  // namespace threadkeep::tiered_test
