// SPDX-License-Identifier: Apache-2.0
// Writers and deleters on the same threads at once. At every moment a checkpoint has all that it
// names, and nothing of what was deleted comes back.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "chaos_store.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;

constexpr auto time_of_each = 2500ms;
constexpr std::array threads = {"one", "two"};

// Blobs that a checkpoint carries and that are not there.
constexpr char missing_blobs[] = R"(
  SELECT count(*) FROM checkpoints AS c
  CROSS JOIN jsonb_each_text(c.checkpoint -> 'channel_versions') AS v (channel, version)
  WHERE NOT EXISTS (
    SELECT FROM checkpoint_blobs AS b
    WHERE b.thread_id = c.thread_id AND b.checkpoint_ns = c.checkpoint_ns
      AND b.channel = v.channel AND b.version = v.version))";

// Checkpoints whose parent is not there, by thread; the greatest number of them.
constexpr char orphans[] = R"(
  SELECT coalesce(max(orphans), 0) FROM (
    SELECT count(*) AS orphans FROM checkpoints AS c
    WHERE parent_checkpoint_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM checkpoints AS p
      WHERE p.thread_id = c.thread_id AND p.checkpoint_id = c.parent_checkpoint_id)
    GROUP BY thread_id) AS counted)";

// Writes for checkpoints that were deleted.
constexpr char resurrected_writes[] = R"(
  SELECT count(*) FROM checkpoint_writes AS w
  JOIN threadkeep_tombstones AS t
    ON t.thread_id = w.thread_id AND t.checkpoint_id >= w.checkpoint_id COLLATE "C"
  WHERE NOT EXISTS (
    SELECT FROM checkpoints AS c
    WHERE c.thread_id = w.thread_id AND c.checkpoint_id = w.checkpoint_id))";

// Blobs that no checkpoint names.
constexpr char left_blobs[] = R"(
  SELECT count(*) FROM checkpoint_blobs AS b
  WHERE NOT EXISTS (
    SELECT FROM checkpoints AS c
    WHERE c.thread_id = b.thread_id AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version))";

class Deleters : public ::testing::Test {
 protected:
  Deleters() { backend_->setup(Call()); }

  // Puts checkpoint after checkpoint on the one before. The channel "first" is sent with the first
  // one only and carried by all others. Begins anew when the parent was deleted.
  void write(const std::string& thread) {
    std::string parent;
    std::string first;
    while (!ended_) {
      const auto id = padded(++number_);
      Draft draft(thread, id);
      draft.value("own", id, "x").metadata(R"({"run_id": ")" + padded(number_ / 20) + "\"}");
      if (parent.empty()) {
        draft.value("first", first = id, "carried");
      } else {
        draft.parent(parent).carries("first", first);
      }
      const auto error = error_of([&] { apply(*backend_, PutCheckpoint(draft)); });
      ASSERT_TRUE(!error || error->code() == Code::conflict) << error->what();
      parent = error ? "" : id;
      if (error) {
        ++conflicts_;
        continue;
      }
      apply(*backend_, PutWrites{thread, "", id, {pending("task", 0, "own", "w")}});
      ++puts_;
    }
  }

  void watch(const std::string& most_orphans) {
    RawDatabase raw(schema_.url());
    while (!ended_) {
      ++looks_;
      ASSERT_EQ(raw.value(missing_blobs), "0");
      ASSERT_LE(raw.value(orphans), most_orphans);
      ASSERT_EQ(raw.value(resurrected_writes), "0");
    }
  }

  // A thread that reports what it did not expect.
  static std::thread run_guarded(const std::function<void()>& body) {
    return std::thread([body] {
      try {
        body();
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }

  // Two writers for each thread, the given deletions, and one that watches.
  void run(const std::function<void(const std::string& thread)>& remove,
           const std::string& most_orphans) {
    std::vector<std::thread> running;
    for (const char* thread : threads) {
      for (int i = 0; i < 2; ++i) running.push_back(run_guarded([=, this] { write(thread); }));
      running.push_back(run_guarded([=, this] {
        while (!ended_) {
          remove(thread);
          ++deletions_;
          std::this_thread::sleep_for(3ms);
        }
      }));
    }
    running.push_back(run_guarded([=, this] { watch(most_orphans); }));
    std::this_thread::sleep_for(time_of_each);
    EXPECT_TRUE(comes_true([this] {
      return puts_ > 100 && deletions_ > 20 && conflicts_ > 5 && looks_ > 5;
    })) << "puts and deletions hardly met";
    ended_ = true;
    for (auto& thread : running) thread.join();
  }

  std::string count_of(const char* query) { return RawDatabase(schema_.url()).value(query); }

  Schema schema_;
  std::unique_ptr<Backend> backend_ = open_backend(schema_.url());
  std::atomic<bool> ended_ = false;
  std::atomic<int> number_ = 0;
  std::atomic<int> puts_ = 0;
  std::atomic<int> conflicts_ = 0;
  std::atomic<int> deletions_ = 0;
  std::atomic<int> looks_ = 0;
};

TEST_F(Deleters, of_threads_leave_whole_checkpoints_or_none) {
  const auto remove = [this](const std::string& thread) { apply(*backend_, DeleteThread{thread}); };
  run(remove, "0");
  for (const char* thread : threads) remove(thread);
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoints"), "0");
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoint_blobs"), "0");
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoint_writes"), "0");
  EXPECT_EQ(count_of("SELECT count(*) FROM threadkeep_threads"), "0");
}

// What prune keeps has lost its own parent.
TEST_F(Deleters, that_prune_leave_the_blobs_of_what_stays) {
  const auto remove = [this](const std::string& thread) { apply(*backend_, Prune{thread}); };
  run(remove, "1");
  for (const char* thread : threads) remove(thread);
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoints"), "2");
  EXPECT_EQ(count_of(missing_blobs), "0");
  EXPECT_EQ(count_of(left_blobs), "0");
}

// They are told to leave children whose parents go, so there may be any number of orphans.
TEST_F(Deleters, of_runs_leave_the_blobs_of_what_stays) {
  const auto remove = [this](const std::string&) {
    const auto run = number_ / 20;
    apply(*backend_, DeleteRuns{{padded(run), padded(run - 2)}});
  };
  run(remove, "999999");
  for (int run = 0; run <= number_ / 20; ++run) apply(*backend_, DeleteRuns{{padded(run)}});
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoints"), "0");
  EXPECT_EQ(count_of("SELECT count(*) FROM checkpoint_blobs"), "0");
}

}  // namespace
}  // namespace threadkeep::postgres_test
