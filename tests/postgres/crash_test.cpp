// SPDX-License-Identifier: Apache-2.0
// Processes write, and at a moment that chance picks they are killed, or the server is, or both.
// A ledger that none of this can hurt says what was begun and what was acknowledged. The database,
// as another program sees it, must hold just that: what was acknowledged, once and whole; what was
// begun last of all, whole or not at all; and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <random>
#include <thread>

#include "processes.hpp"
#include "script.hpp"
#include "threadkeep/checkpointer.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;

constexpr int processes = 3;
constexpr int threads = 2;  // of each process
constexpr int writers = processes * threads;

// A file to which lines are only ever added. Processes are killed and not the machine, so it need
// not wait for the disk.
class Ledger {
 public:
  explicit Ledger(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    require(file_ >= 0, "cannot open the ledger");
  }
  ~Ledger() { close(file_); }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void begun(int writer) { add({writer, false}); }
  void acknowledged(int writer) { add({writer, true}); }

  struct Count {
    int begun = 0;
    int acknowledged = 0;
  };

  std::vector<Count> counts() const {
    std::vector<Count> counts(writers);
    Entry entry{};
    for (off_t at = 0; pread(file_, &entry, sizeof entry, at) == sizeof entry; at += sizeof entry) {
      auto& count = counts.at(static_cast<std::size_t>(entry.writer));
      ++(entry.acknowledged ? count.acknowledged : count.begun);
    }
    return counts;
  }

 private:
  struct Entry {
    int writer;
    int acknowledged;
  };

  void add(Entry entry) {
    require(write(file_, &entry, sizeof entry) == sizeof entry, "write to the ledger");
  }

  int file_;
};

class Crashes : public ::testing::Test {
 protected:
  Crashes() : seed_(std::random_device()()), random_(seed_) {
    RecordProperty("seed", std::to_string(seed_));
    open_backend(server_.url())->setup(Call());
  }

  std::string name_of(int writer) const {
    return "round " + padded(round_) + " writer " + std::to_string(writer);
  }
  Script script_of(int writer) const {
    return {seed_ + static_cast<std::uint32_t>(round_ * writers + writer), name_of(writer)};
  }

  // Carries out one mutation, again and again while the server is away.
  static void write_in_spite_of_outages(Store& store, const Mutation& mutation) {
    for (;;) {
      const auto error = error_of([&] { store.write(mutation, Call()); });
      if (!error) return;
      const bool is_outage =
          error->code() == Code::unavailable || error->code() == Code::outcome_unknown;
      if (!is_outage) throw *error;
      std::this_thread::sleep_for(5ms);
    }
  }

  void write_until_told(Store& store, Ledger& ledger, int writer) {
    auto script = script_of(writer);
    while (!stop_.is_set()) {
      const auto mutation = script.next();
      ledger.begun(writer);
      write_in_spite_of_outages(store, mutation);
      ledger.acknowledged(writer);
    }
  }

  void start_writers() {
    ++round_;
    stop_.clear();
    ledger_ = std::make_unique<Ledger>(directory_.path() / std::to_string(round_));
    for (int process = 0; process < processes; ++process) {
      children_.push_back(std::make_unique<Child>([this, process] { be_writers(process); }));
    }
  }

  void be_writers(int process) {
    const auto store = open(server_.url() + "?application_name=writer&pool_size=4");
    std::vector<std::future<void>> running;
    for (int i = 0; i < threads; ++i) {
      running.push_back(std::async(std::launch::async, [&, i] {
        write_until_told(*store, *ledger_, process * threads + i);
      }));
    }
    for (auto& thread : running) thread.get();
  }

  void kill_writers() {
    for (auto& child : children_) child->kill();
    children_.clear();
  }
  void stop_writers() {
    stop_.set();
    for (auto& child : children_) EXPECT_TRUE(child->succeeded());
    children_.clear();
  }

  // Until every writer is at work, and then for as long as chance says.
  void let_them_write() {
    const auto before = ledger_->counts();
    EXPECT_TRUE(comes_true([&] {
      const auto now = ledger_->counts();
      return std::equal(now.begin(), now.end(), before.begin(), [](const auto& a, const auto& b) {
        return a.acknowledged > b.acknowledged;
      });
    }));
    wait_a_moment();
  }

  void wait_a_moment() { std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 200)); }

  void check() {
    RawDatabase raw(server_.url());
    const auto sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer'";
    ASSERT_TRUE(comes_true([&] { return raw.value(sessions) == "0"; }));
    const auto counts = ledger_->counts();
    for (int writer = 0; writer < writers; ++writer) {
      check(raw, writer, counts.at(static_cast<std::size_t>(writer)));
    }
  }

  void check(RawDatabase& raw, int writer, const Ledger::Count& count) {
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", " + name_of(writer) + ", begun " +
                 std::to_string(count.begun) + ", acknowledged " +
                 std::to_string(count.acknowledged));
    ASSERT_LE(count.begun - count.acknowledged, 1);
    auto script = script_of(writer);
    Model model;
    for (int i = 0; i < count.acknowledged; ++i) model.apply(script.next());
    const auto rows = rows_in(raw, name_of(writer));
    if (rows == model.rows() || count.begun == count.acknowledged) {
      EXPECT_EQ(rows, model.rows());
      return;
    }
    model.apply(script.next());
    EXPECT_EQ(rows, model.rows());
  }

  const std::uint32_t seed_;
  std::mt19937 random_;
  PostgresServer server_{{.durable = true, .settings = {}}};
  testing::TemporaryDirectory directory_;
  SharedFlag stop_;
  std::unique_ptr<Ledger> ledger_;
  std::vector<std::unique_ptr<Child>> children_;
  int round_ = 0;
};

TEST_F(Crashes, of_clients_lose_nothing_and_leave_nothing_by_half) {
  for (int round = 0; round < 10; ++round) {
    start_writers();
    let_them_write();
    kill_writers();
    check();
  }
}

TEST_F(Crashes, of_the_server_lose_nothing_and_its_clients_go_on) {
  for (int round = 0; round < 5; ++round) {
    start_writers();
    for (int crash = 0; crash < 2; ++crash) {
      let_them_write();
      server_.kill();
      server_.start();
    }
    wait_a_moment();
    stop_writers();
    check();
  }
}

TEST_F(Crashes, of_the_server_and_its_clients_lose_nothing_and_leave_nothing_by_half) {
  for (int round = 0; round < 5; ++round) {
    start_writers();
    let_them_write();
    server_.kill();
    kill_writers();
    server_.start();
    check();
  }
}

}  // namespace
}  // namespace threadkeep::postgres_test
