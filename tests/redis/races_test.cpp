// SPDX-License-Identifier: Apache-2.0
// What many writers at once leave of a thread.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "layout.hpp"
#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

class Races : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  // Its hash and its index tell the same, and what its checkpoints refer to is there.
  void expect_whole(const std::string& thread) {
    SCOPED_TRACE(thread);
    const redis::Keys keys("threadkeep", thread);
    const Words all = client_.run({"HGETALL", keys.thread});
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) fields[all[i]] = all[i + 1];
    std::set<std::string> stored;
    for (const auto& [field, value] : fields) {
      EXPECT_FALSE(value.empty()) << field;
      if (field.starts_with('c') || field.starts_with('w')) stored.insert(field);
      if (field.starts_with('c')) expect_values(fields, field);
    }
    std::set<std::string> indexed;
    for (const auto& member : client_.run({"ZRANGE", keys.index, "0", "-1"})) {
      if (!member.starts_with('r')) indexed.insert(member);
    }
    EXPECT_EQ(stored, indexed);
    std::istringstream head(fields["h"]);
    std::string created, updated, revision, checkpoints;
    head >> created >> updated >> revision >> checkpoints;
    const auto is_checkpoint = [](const auto& field) { return field.starts_with('c'); };
    EXPECT_EQ(checkpoints,
              std::to_string(std::count_if(stored.begin(), stored.end(), is_checkpoint)));
  }

  static void expect_values(const std::map<std::string, std::string>& fields,
                            const std::string& checkpoint) {
    const auto ns = std::string(redis::name_parts(checkpoint, 2).front());
    for (const auto& [channel, version] : redis::decode_content(fields.at(checkpoint)).versions) {
      EXPECT_TRUE(fields.contains(redis::blob_field(ns, channel, version))) << channel << version;
    }
  }

  // Puts a checkpoint that carries a value of its parent, as runs do.
  void go_on(Checkpointer& store, const std::string& thread, std::mt19937& random) {
    const auto latest = store.get({thread, "", {}, {}});
    const std::string id = padded(++number_);
    const std::string value(random() % 2 == 0 ? 10 : 5000, 'x');
    Draft draft(thread, id);
    draft.value("a", id, value);
    draft.metadata(R"({"run_id": "run-)" + std::to_string(random() % 3) + "\"}");
    if (latest) {
      ASSERT_EQ(latest->values.size(), 2U) << latest->checkpoint_id;
      draft.parent(latest->checkpoint_id).carries("b", latest->values[1].version);
    } else {
      draft.value("b", id, value);
    }
    if (random() % 3 == 0) draft.require_latest_parent();
    store.put(draft);
    store.put_writes({thread, "", id, {pending("x", 0, "c", value), pending("x", -1, "d", value)}});
  }

  void do_something(Checkpointer& store, std::mt19937& random) {
    const std::string thread = random() % 2 == 0 ? "t" : "u";
    switch (random() % 20) {
      case 0:
        store.delete_thread(thread);
        return;
      case 1:
        prune(store, thread);
        return;
      case 2:
        store.delete_runs({"run-" + std::to_string(random() % 3)});
        return;
      case 3:
        store.copy_thread(thread, thread == "t" ? "u" : "t");
        return;
      default:
        go_on(store, thread, random);
    }
  }

  void work(const std::string& url, unsigned seed) {
    auto store = open_store(url);
    std::mt19937 random(seed);
    for (int i = 0; i < 250; ++i) {
      try {
        do_something(store, random);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::conflict) << error.what();
      }
    }
  }

  RedisServer server_;
  RawClient client_{server_};
  std::atomic<int> number_ = 0;
};

TEST_F(Races, of_all_mutations_leave_whole_threads) {
  std::atomic<bool> stop = false;
  std::thread forgetter([&] {
    RawClient client(server_);
    while (!stop) client.run({"SCRIPT", "FLUSH"});
  });
  std::vector<std::thread> workers;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    const std::string parameters = seed % 2 == 0 ? "script_bytes=1000" : "script_bytes=1000&ttl=1h";
    workers.emplace_back([&, parameters, seed] { work(server_.url(parameters), seed); });
  }
  for (auto& worker : workers) worker.join();
  stop = true;
  forgetter.join();
  open_store(server_.url("ttl=1h")).put(Draft("t", padded(++number_)));
  expect_whole("t");
  expect_whole("u");
  const auto lifetimes = client_.lifetimes("*:[ti]:t");
  EXPECT_EQ(lifetimes.size(), 2U);
  EXPECT_EQ(lifetimes.begin()->second, lifetimes.rbegin()->second);
}

TEST_F(Races, with_writers_do_not_keep_a_deletion_from_its_end) {
  auto store = open_store(server_.url());
  for (int i = 0; i < 2000; ++i) store.put(Draft("t", padded(++number_)));
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      auto own = open_store(server_.url());
      while (!stop) own.put(Draft("t", padded(++number_)));
    });
  }
  EXPECT_GE(prune(store, "t").changed, 1999U);
  stop = true;
  for (auto& writer : writers) writer.join();
  expect_whole("t");
}

}  // namespace
}  // namespace threadkeep::redis_test
