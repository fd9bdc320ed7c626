// SPDX-License-Identifier: Apache-2.0
// Random threads are swept while others write to them: what stays is as it was, what goes goes
// whole.
#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "retention_fixture.hpp"
#include "threadkeep/ids.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

constexpr char policies[] = R"([
  {"name": "vip", "metadata": {"tier": "vip"}, "idle": "off", "keep_last": 4},
  {"name": "mail", "threads": "mail-*", "idle": "12d", "expiry": "fixed", "keep_last": 2},
  {"name": "chat", "threads": "chat[*]*", "idle": "14d", "age": "8d", "keep_last": 3},
  {"name": "rest", "idle": "10d", "age": "5d"}])";

using Key = std::tuple<std::string, std::string, std::string>;

Key key_of(const CheckpointTuple& tuple) {
  return {tuple.thread_id, tuple.checkpoint_ns, tuple.checkpoint_id};
}

/// Everything that a reader gets of a checkpoint.
struct Loaded {
  CheckpointTuple tuple;
  std::vector<ChannelHistory> history;  // of the delta channel

  friend bool operator==(const Loaded& a, const Loaded& b) {
    return a.tuple.parent_checkpoint_id == b.tuple.parent_checkpoint_id &&
           a.tuple.document == b.tuple.document && a.tuple.metadata == b.tuple.metadata &&
           a.tuple.values == b.tuple.values && a.tuple.writes == b.tuple.writes &&
           a.history == b.history;
  }
};

using Content = std::map<Key, Loaded>;

class RetentionProperty : public RetentionFixture {
 protected:
  bool is_delta(const CheckpointTuple& tuple) {
    return !delta_channels(tuple.metadata).empty() &&
           std::ranges::none_of(tuple.values, [](const Blob& b) { return b.channel == "d"; });
  }

  Content load() {
    Content content;
    CheckpointList query;
    query.limit = 1000;
    do {
      auto page = store_.list(query, Call());
      query.cursor = page.next;
      for (CheckpointTuple& tuple : page.items) {
        const Key key = key_of(tuple);
        content[key].tuple = std::move(tuple);
      }
    } while (!query.cursor.empty());
    for (auto& [key, loaded] : content) {
      if (!is_delta(loaded.tuple)) continue;
      loaded.history =
          store_.history({std::get<0>(key), std::get<1>(key), std::get<2>(key), {"d"}}, Call());
    }
    return content;
  }

  std::vector<RandomThread> make_threads(int count) {
    std::vector<RandomThread> threads;
    for (int i = 0; i < count; ++i) {
      threads.push_back(make_random_thread(random_, number_++, base_));
      store(threads.back());
    }
    return threads;
  }

  // What a sweep leaves of threads that nobody writes to.
  Content survivors(const std::vector<RandomThread>& threads, const Content& before) {
    const auto read = policies_from_json(policies);
    Content after = before;
    for (const RandomThread& thread : threads) {
      const std::string& id = thread.facts.thread_id;
      const Decision decision = decide(read, thread.facts, Environment::system().now());
      if (decision.thread) {
        std::erase_if(after, [&](const auto& item) { return std::get<0>(item.first) == id; });
      }
      for (const Removal& removal : decision.removals) {
        after.erase({id, removal.checkpoint_ns, removal.checkpoint_id});
      }
    }
    return after;
  }

  static void expect_equal(const Content& found, const Content& expected) {
    for (const auto& [key, loaded] : found) {
      const auto wanted = expected.find(key);
      const auto& [thread, ns, id] = key;
      ASSERT_NE(wanted, expected.end()) << thread << ' ' << ns << ' ' << id << " is new";
      EXPECT_EQ(loaded, wanted->second) << thread << ' ' << ns << ' ' << id << " has changed";
    }
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
  apply(policies);
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
      const CheckpointTuple child = child_of(loaded->tuple, "library");
      PutCheckpoint put{.thread_id = child.thread_id,
                        .checkpoint_ns = child.checkpoint_ns,
                        .checkpoint_id = child.checkpoint_id,
                        .parent_checkpoint_id = child.parent_checkpoint_id,
                        .document = child.document,
                        .metadata = child.metadata,
                        .blobs = {}};
      try {
        store_.write(std::move(put), Call());
        stored(child);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::conflict) << error.what();
      }
    }
  }

  // As LangGraph's saver: without locks, and with a write that may come too late.
  void put_by_langgraph() {
    for (const auto& [place, loaded] : latest_) {
      const CheckpointTuple child = child_of(loaded->tuple, "saver");
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
  // A child that carries all values of its parent.
  CheckpointTuple child_of(const CheckpointTuple& parent, const std::string& source) {
    CheckpointTuple child = parent;
    const std::int64_t now = Environment::system().now();
    child.checkpoint_id = "z" + std::to_string(now) + source;
    child.parent_checkpoint_id = parent.checkpoint_id;
    child.metadata = R"({"source":")" + source + R"("})";
    child.document = R"({"v":4,"ts":")" + iso_time(now) + R"(","channel_versions":)" +
                     raw_versions(parent.document) + '}';
    child.writes.clear();
    return child;
  }
  static std::string raw_versions(const std::string& document) {
    std::string text = "{";
    for (const auto& [channel, version] : read_document(document).versions) {
      text += (text == "{" ? "\"" : ",\"") + channel + "\":\"" + version + '"';
    }
    return text + '}';
  }
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
  apply(policies);
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
  apply(policies);
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
