// SPDX-License-Identifier: Apache-2.0
// What the worker of a tiered store copies, and when. Copies are made by the tests.
#include "layers/refresher.hpp"

#include <condition_variable>
#include <mutex>

#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

using namespace std::chrono_literals;

/// Copies are written down, as "t" or, where a reader had found it, "t*".
class Copies {
 public:
  bool add(const std::string& thread_id, bool found) {
    std::unique_lock lock(mutex_);
    all_.push_back(thread_id + (found ? "*" : ""));
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    return failures_-- <= 0;
  }
  void fail(int times) { failures_ = times; }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void await(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return all_.size() >= count; });
  }
  Strings all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Strings all_;
  bool held_ = false;
  int failures_ = 0;
};

class RefresherTest : public ::testing::Test {
 protected:
  std::unique_ptr<Refresher> make(const Refresher::Options& options) {
    return std::make_unique<Refresher>(
        [this](const std::string& thread_id, const auto& found, const Call&) {
          return copies_.add(thread_id, found.has_value());
        },
        options);
  }
  static void write(Refresher& refresher, const std::string& thread_id) {
    refresher.begin(thread_id);
    refresher.end(thread_id, false);
  }
  static VersionedTuple found(const std::string& thread_id, std::size_t size = 1) {
    VersionedTuple entry;
    entry.tuple.thread_id = thread_id;
    entry.tuple.document = std::string(size, ' ');
    return entry;
  }

  Copies copies_;
};

TEST_F(RefresherTest, copies_a_thread_once_for_many_writes) {
  const auto refresher = make({.quiet = 1h});
  for (int i = 0; i < 100; ++i) write(*refresher, "t");
  EXPECT_TRUE(refresher->is_waiting("t"));
  EXPECT_FALSE(refresher->is_waiting("u"));
  EXPECT_EQ(copies_.all(), Strings{});
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), Strings{"t"});
  EXPECT_FALSE(refresher->is_waiting("t"));
}

TEST_F(RefresherTest, copies_no_thread_that_is_being_written) {
  const auto refresher = make({.quiet = 0ms});
  refresher->begin("t");
  refresher->begin("t");
  refresher->end("t", true);
  write(*refresher, "u");
  copies_.await(1);
  EXPECT_EQ(copies_.all(), Strings{"u"});
  EXPECT_TRUE(refresher->is_waiting("t"));
  refresher->end("t", true);
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), (Strings{"u", "t"}));
}

TEST_F(RefresherTest, copies_a_thread_again_that_was_written_in_the_meantime) {
  const auto refresher = make({.quiet = 0ms});
  copies_.hold(true);
  write(*refresher, "t");
  copies_.await(1);
  write(*refresher, "t");
  copies_.hold(false);
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), (Strings{"t", "t"}));
}

TEST_F(RefresherTest, waits_for_a_thread_that_was_not_copied) {
  const auto refresher = make({.quiet = 0ms, .retry = 1ms});
  copies_.fail(3);
  write(*refresher, "t");
  refresher->drain(Call());
  EXPECT_EQ(copies_.all().size(), 4U);
}

TEST_F(RefresherTest, says_when_it_forgets_a_thread) {
  const auto refresher = make({.quiet = 1h, .most_threads = 2});
  for (const char* thread_id : {"a", "b", "c"}) refresher->begin(thread_id);
  EXPECT_FALSE(refresher->end("a", false));
  EXPECT_FALSE(refresher->is_waiting("a"));
  EXPECT_TRUE(refresher->end("b", false));
  EXPECT_TRUE(refresher->end("c", false));
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), (Strings{"b", "c"}));
}

TEST_F(RefresherTest, copies_what_readers_find_unless_it_is_too_much) {
  const auto refresher = make({.quiet = 1h, .most_bytes = 100});
  copies_.hold(true);
  refresher->offer(found("a", 60));
  copies_.await(1);
  refresher->offer(found("b", 60));
  refresher->offer(found("c", 40));
  copies_.hold(false);
  refresher->drain(Call());
  refresher->offer(found("b", 60));
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), (Strings{"a*", "c*", "b*"}));
}

// A write may have overtaken it, and been copied already.
TEST_F(RefresherTest, has_nobody_read_what_a_reader_found_before_it_is_copied) {
  const auto refresher = make({.quiet = 1h});
  copies_.hold(true);
  refresher->offer(found("t"));
  EXPECT_TRUE(refresher->is_waiting("t"));
  copies_.await(1);
  EXPECT_TRUE(refresher->is_waiting("t"));
  copies_.hold(false);
  refresher->drain(Call());
  EXPECT_FALSE(refresher->is_waiting("t"));
}

TEST_F(RefresherTest, drops_what_a_reader_found_when_the_thread_is_written) {
  const auto refresher = make({.quiet = 1h, .most_bytes = 100});
  copies_.hold(true);
  refresher->offer(found("a"));
  copies_.await(1);
  refresher->offer(found("b", 90));
  write(*refresher, "b");
  refresher->offer(found("b", 1));
  refresher->offer(found("c", 90));
  copies_.hold(false);
  refresher->drain(Call());
  EXPECT_EQ(copies_.all(), (Strings{"a*", "c*", "b"}));
}

TEST_F(RefresherTest, ends_with_threads_that_wait) {
  const auto refresher = make({.quiet = 1h});
  write(*refresher, "t");
}

}  // namespace
}  // namespace threadkeep::tiered_test
