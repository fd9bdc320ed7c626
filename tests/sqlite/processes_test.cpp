// SPDX-License-Identifier: Apache-2.0
// Several processes on one file, and what happens while another one holds the lock.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using namespace std::chrono_literals;

std::string padded(int number) {
  const std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

class Processes : public ::testing::Test {
 protected:
  // Runs `body(i)` in `count` processes that set off together.
  void run_together(int count, const std::function<void(int)>& body) {
    Signal ready;
    Signal go;
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < count; ++i) {
      children.push_back(std::make_unique<Child>([&, i] {
        ready.send();
        go.wait();
        body(i);
      }));
    }
    for (int i = 0; i < count; ++i) ready.wait();
    go.send(count);
    for (auto& child : children) EXPECT_TRUE(child->succeeded());
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "store.db";
};

TEST_F(Processes, sixteen_may_create_the_file_at_once) {
  for (int round = 0; round < 5; ++round) {
    file_ = directory_.path() / ("store" + std::to_string(round) + ".db");
    run_together(16, [&](int i) { open_store(file_, "busy=30s").put(Draft(padded(i), "1")); });
    EXPECT_EQ(open_store(file_).threads({}).items.size(), 16u);
    EXPECT_EQ(RawDatabase(file_).value("PRAGMA integrity_check"), "ok");
  }
}

TEST_F(Processes, no_put_of_several_writers_is_lost) {
  constexpr int writers = 4;
  constexpr int puts = 100;
  run_together(writers, [&](int i) {
    Checkpointer store = open_store(file_, "busy=30s");
    for (int n = 0; n < puts; ++n) {
      store.put(Draft("t", padded(n) + "-" + std::to_string(i)).value("a", padded(n), "x"));
      store.put_writes({"t", "", "1", {pending(std::to_string(i), n, "a", "x")}});
    }
  });
  RawDatabase raw(file_);
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints"), std::to_string(writers * puts));
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoint_writes"), std::to_string(writers * puts));
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoint_blobs"), std::to_string(puts));
}

// Puts the next number after the latest one, as long as it takes to be the first to do so.
void append_one(Checkpointer& store) {
  for (;;) {
    const auto latest = store.get({"t", "", {}, {}});
    Draft next("t", padded(latest ? std::stoi(latest->checkpoint_id) + 1 : 0));
    if (latest) next.parent(latest->checkpoint_id);
    try {
      store.put(
          next.require_latest_parent().metadata("{\"by\": " + std::to_string(getpid()) + "}"));
      return;
    } catch (const Error& error) {
      if (error.code() != Code::conflict) throw;
    }
  }
}

TEST_F(Processes, a_demand_for_the_latest_parent_orders_the_writers_of_one_thread) {
  constexpr int writers = 3;
  constexpr int puts = 60;
  run_together(writers, [&](int) {
    Checkpointer store = open_store(file_, "busy=30s&synchronous=normal");
    for (int n = 0; n < puts; ++n) append_one(store);
  });
  RawDatabase raw(file_);
  EXPECT_EQ(raw.value("SELECT count(*), max(checkpoint_id) FROM checkpoints"),
            std::to_string(writers * puts) + "|" + padded(writers * puts - 1));
  EXPECT_EQ(raw.value("SELECT count(DISTINCT parent_checkpoint_id) FROM checkpoints"),
            std::to_string(writers * puts - 1));
}

TEST_F(Processes, a_process_sees_what_another_one_stored) {
  Checkpointer store = open_store(file_);
  store.put(Draft("t", "1"));
  Child child([&] {
    Checkpointer other = open_store(file_);
    require(other.get({"t", "", "1", {}}).has_value(), "not seen");
    other.put(Draft("t", "2"));
  });
  EXPECT_TRUE(child.succeeded());
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, "2");
}

// Another process that holds the write lock until it is told to let go.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& file) : child_([&] { hold(file); }) { held_.wait(); }

  void release() {
    release_.send();
    EXPECT_TRUE(child_.succeeded());
  }

 private:
  void hold(const std::filesystem::path& file) {
    RawDatabase raw(file);
    raw.run("BEGIN IMMEDIATE");
    held_.send();
    release_.wait();
    raw.run("ROLLBACK");
  }

  Signal held_;
  Signal release_;
  Child child_;
};

class Locked : public Processes {
 protected:
  Locked() {
    open_store(file_).put(Draft("t", "1"));
    lock_ = std::make_unique<Lock>(file_);
  }

  std::unique_ptr<Lock> lock_;
};

TEST_F(Locked, by_another_process_is_unavailable_when_the_busy_time_is_over) {
  Checkpointer store = open_store(file_, "busy=300ms");
  Error error(Code::internal, "");
  const auto lasted = duration_of([&] { error = error_of([&] { store.put(Draft("t", "2")); }); });
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  EXPECT_EQ(error.native(), "SQLITE_BUSY");
  EXPECT_TRUE(error.retry_safe());
  EXPECT_NE(error.message().find("busy="), std::string::npos) << error.what();
  EXPECT_GE(lasted, 290ms);
  EXPECT_LT(lasted, 1500ms);
  lock_->release();
  EXPECT_NO_THROW(store.put(Draft("t", "2")));
}

TEST_F(Locked, by_another_process_is_a_timeout_when_the_deadline_comes_first) {
  Checkpointer store = open_store(file_);
  store.store()->ping(Call());
  Error error(Code::internal, "");
  const auto lasted = duration_of([&] {
    error = error_of([&] { store.put(Draft("t", "2"), Call{Deadline::after(200ms), {}}); });
  });
  EXPECT_EQ(error.code(), Code::timeout) << error.what();
  EXPECT_GE(lasted, 190ms);
  EXPECT_LT(lasted, 700ms);
  EXPECT_FALSE(store.get({"t", "", "2", {}}));
}

TEST_F(Locked, by_another_process_ends_when_the_caller_stops_waiting) {
  Checkpointer store = open_store(file_, "busy=30s");
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    source.request_stop();
  });
  Error error(Code::internal, "");
  const auto lasted = duration_of([&] {
    const Call call{Deadline::never(), source.get_token()};
    error = error_of([&] { store.put(Draft("t", "2"), call); });
  });
  EXPECT_EQ(error.code(), Code::cancelled) << error.what();
  EXPECT_LT(lasted, 700ms);
}

TEST_F(Locked, by_another_process_does_not_hold_up_readers) {
  Checkpointer store = open_store(file_);
  const auto lasted = duration_of([&] { EXPECT_TRUE(store.get({"t", "", "1", {}})); });
  EXPECT_LT(lasted, 200ms);
}

TEST_F(Locked, a_writer_goes_on_as_soon_as_the_lock_is_free) {
  Checkpointer store = open_store(file_, "busy=30s");
  std::jthread releaser([&] {
    std::this_thread::sleep_for(200ms);
    lock_->release();
  });
  const auto lasted = duration_of([&] { store.put(Draft("t", "2")); });
  EXPECT_LT(lasted, 700ms);
}

}  // namespace
}  // namespace threadkeep::sqlite_test
