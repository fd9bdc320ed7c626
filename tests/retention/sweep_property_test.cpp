// SPDX-License-Identifier: Apache-2.0
// Random threads are swept while others write to them: what stays is as it was, what goes goes
// whole.
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "contents.hpp"
#include "retention_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

class RetentionProperty : public RetentionFixture {
 protected:
  Content load() { return retention_test::load(store_); }

  std::vector<RandomThread> make_threads(int count) {
    std::vector<RandomThread> threads;
    for (int i = 0; i < count; ++i) {
      threads.push_back(make_random_thread(random_, number_++, base_));
      store(threads.back());
    }
    return threads;
  }

  static Content survivors(const std::vector<RandomThread>& threads, const Content& before) {
    return retention_test::survivors(threads, before, Environment::system().now());
  }

  void expect_no_orphans() {
    EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_blobs AS b WHERE NOT EXISTS ("
                         "  SELECT FROM checkpoints AS c WHERE c.thread_id = b.thread_id "
                         "  AND c.checkpoint_ns = b.checkpoint_ns "
                         "  AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version)"),
              "0");
    EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_writes AS w WHERE NOT EXISTS ("
                         "  SELECT FROM checkpoints AS c WHERE c.thread_id = w.thread_id "
                         "  AND c.checkpoint_ns = w.checkpoint_ns "
                         "  AND c.checkpoint_id = w.checkpoint_id)"),
              "0");
    EXPECT_EQ(count("threadkeep_retention_garbage"), "0");
  }

  // The first sweep takes what has become due since the last one.
  void collect() {
    sweep();
    pass_grace();
    sweep();
    expect_no_orphans();
  }

  Rows preview() { return raw_.run("SELECT * FROM threadkeep_retention_preview()"); }
  Rows swept(const std::string& run) {
    return raw_.run(
        "SELECT policy, reason, sum(threads), sum(checkpoints), sum(writes), sum(blobs),"
        " sum(bytes) FROM threadkeep_retention_audit WHERE run_id = " +
        run +
        " AND policy IS NOT NULL GROUP BY 1, 2 "
        "ORDER BY policy COLLATE \"C\", reason COLLATE \"C\"");
  }
  std::string last_run() { return raw_.value("SELECT max(run_id) FROM threadkeep_retention_runs"); }

  const unsigned seed_ = 20261122;
  std::mt19937_64 random_{seed_};
  // Times of threads are whole hours before it, so that half an hour more or less decides nothing.
  const std::int64_t base_ = Environment::system().now() - 1'800'000'000;
  int number_ = 0;
};

TEST_F(RetentionProperty, what_stays_is_as_it_was_and_a_dry_run_counts_what_goes) {
  apply(random_policies);
  for (int round = 0; round < 5; ++round) {
    const auto threads = make_threads(100);
    const Content before = load();
    const Content expected = survivors(threads, before);
    const Rows counted = preview();
    EXPECT_FALSE(counted.empty());
    sweep(1 + static_cast<int>(random_() % 40));
    EXPECT_EQ(swept(last_run()), counted) << "round " << round;
    Content after = load();
    EXPECT_EQ(after.size(), expected.size());
    expect_equal(after, expected);
    EXPECT_EQ(preview(), Rows{});
    collect();
    after = load();
    EXPECT_EQ(after.size(), expected.size());
    expect_equal(after, expected);
  }
}

/// Goes on with threads that it loaded before a sweep, while the sweep is under way.
class Writers {
 public:
  Writers(Store& store, const std::string& url, const Content& before) : store_(store), raw_(url) {
    for (const auto& [key, loaded] : before)
      latest_[{std::get<0>(key), std::get<1>(key)}] = &loaded;
  }

  // As a program that uses this library.
  void put_by_library() {
    for (const auto& [place, loaded] : latest_) {
      const auto child = child_of(loaded->tuple, "library", Environment::system().now());
      try {
        store_.write(put_of(child), Call());
        stored(child);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::conflict) << error.what();
      }
    }
  }

  // As LangGraph's saver: without locks, and with a write that may come too late.
  void put_by_langgraph() {
    for (const auto& [place, loaded] : latest_) {
      const auto child = child_of(loaded->tuple, "saver", Environment::system().now());
      raw_.run(
          "INSERT INTO checkpoint_writes VALUES ($1, $2, $3, 'late', 9, 'z', 'text', 'z', '') "
          "ON CONFLICT DO NOTHING",
          {child.thread_id, child.checkpoint_ns, *child.parent_checkpoint_id});
      raw_.run("INSERT INTO checkpoints VALUES ($1, $2, $3, $4, NULL, $5::jsonb, $6::jsonb)",
               {child.thread_id, child.checkpoint_ns, child.checkpoint_id,
                *child.parent_checkpoint_id, child.document, child.metadata});
      stored(child);
    }
  }

  std::map<Key, CheckpointTuple> stored_;  // to be read when both are done

 private:
  void stored(const CheckpointTuple& child) {
    const std::lock_guard lock(mutex_);
    stored_[key_of(child)] = child;
  }

  Store& store_;
  RawDatabase raw_;
  std::map<std::pair<std::string, std::string>, const Loaded*> latest_;
  std::mutex mutex_;
};

class RetentionRaces : public RetentionProperty {
 protected:
  // What was there before, without the write that may have come late.
  static void forget_late(Content& content) {
    for (auto& [key, loaded] : content) {
      std::erase_if(loaded.tuple.writes, [](const PendingWrite& w) { return w.task_id == "late"; });
      for (ChannelHistory& history : loaded.history) {
        std::erase_if(history.writes, [](const PendingWrite& w) { return w.task_id == "late"; });
      }
    }
  }

  void expect_intact(Content& after, const Content& before, const Writers& writers) {
    forget_late(after);
    Content old;
    for (auto& [key, loaded] : after) {
      const auto written = writers.stored_.find(key);
      if (written == writers.stored_.end()) {
        old.emplace(key, loaded);
      } else {
        EXPECT_EQ(loaded.tuple.values, written->second.values)
            << std::get<0>(key) << ' ' << std::get<2>(key);
      }
    }
    expect_equal(old, before);
  }

  // A thread whose clock runs anew with each put does not go once one was stored in it.
  void expect_resumed_threads(const std::vector<RandomThread>& threads, const Content& after,
                              const Writers& writers) {
    std::map<std::string, bool> sliding;
    for (const RandomThread& thread : threads) {
      sliding[thread.facts.thread_id] =
          !thread.facts.expires_at && !thread.facts.thread_id.starts_with("mail-");
    }
    for (const auto& [key, tuple] : writers.stored_) {
      if (!sliding[std::get<0>(key)]) continue;
      EXPECT_TRUE(after.contains(key)) << std::get<0>(key) << ' ' << std::get<2>(key);
    }
  }

  void sweep_under_writers(Writers& writers) {
    std::thread library([&] { writers.put_by_library(); });
    std::thread langgraph([&] { writers.put_by_langgraph(); });
    sweep(3);
    library.join();
    langgraph.join();
  }

  // Ends the session of a sweeper as soon as something has gone.
  void kill_sweeper() {
    const std::string before = count("checkpoints");
    const std::string last =
        raw_.value("SELECT coalesce(max(run_id), 0) FROM threadkeep_retention_runs");
    testing::Program sweeper(psql("CALL {}.threadkeep_retention_sweep('5 minutes', 1)"));
    const std::string over =
        "SELECT coalesce((SELECT state = 'done' FROM threadkeep_retention_runs WHERE run_id > " +
        last + " ORDER BY run_id DESC LIMIT 1), false)";
    while (count("checkpoints") == before && raw_.value(over) == "f") {
      std::this_thread::sleep_for(std::chrono::milliseconds(1 + random_() % 20));
    }
    testing::PostgresServer::shared().run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sweeper'");
    sweeper.wait();
    raw_.run("UPDATE threadkeep_retention_runs SET alive_until = now() - interval '1 second'");
  }
};

TEST_F(RetentionRaces, what_stays_is_as_it_was_while_others_write) {
  apply(random_policies);
  for (int round = 0; round < 6; ++round) {
    const auto threads = make_threads(85);
    const Content before = load();
    Writers writers(store_, url_, before);
    sweep_under_writers(writers);
    Content after = load();
    expect_intact(after, before, writers);
    expect_resumed_threads(threads, after, writers);
    collect();
    Content collected = load();
    expect_intact(collected, before, writers);
    raw_.run(
        "TRUNCATE checkpoints, checkpoint_blobs, checkpoint_writes, threadkeep_threads, "
        "threadkeep_tombstones, threadkeep_retention_garbage CASCADE");
  }
}

TEST_F(RetentionRaces, what_stays_is_as_it_was_when_sweepers_are_killed) {
  apply(random_policies);
  const auto threads = make_threads(100);
  const Content before = load();
  const Content expected = survivors(threads, before);
  for (int kills = 0; kills < 3; ++kills) {
    kill_sweeper();
    const Content after = load();
    expect_equal(after, before);
    for (const auto& [key, loaded] : expected) EXPECT_TRUE(after.contains(key));
  }
  collect();
  const Content after = load();
  EXPECT_EQ(after.size(), expected.size());
  expect_equal(after, expected);
}

}  // namespace
}  // namespace threadkeep::retention_test
