// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "backends_under_test.hpp"
#include "threadkeep/testing/conformance.hpp"
#include "threadkeep/testing/draft.hpp"

// Many callers at once, checked against what must hold at every moment. Also run under a thread
// sanitizer.

namespace threadkeep::testing {
namespace {

constexpr int writers = 16;
constexpr int each = 20;

class Concurrency : public Conformance {
 protected:
  // Runs `body` once for each number on a thread of its own, and `watch` on two more until all have
  // ended. An error that nobody expects fails the test.
  void run(const std::function<void(int)>& body, const std::function<void()>& watch) {
    std::atomic<bool> ended = false;
    std::vector<std::thread> watchers;
    for (int i = 0; i < 2; ++i) {
      watchers.emplace_back([&] {
        while (!ended) guarded(watch);
      });
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i) {
      threads.emplace_back([&, i] { guarded([&] { body(i); }); });
    }
    for (auto& thread : threads) thread.join();
    ended = true;
    for (auto& watcher : watchers) watcher.join();
  }

  void guarded(const std::function<void()>& body) {
    try {
      body();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
};

INSTANTIATE_TEST_SUITE_P(, Concurrency, ::testing::ValuesIn(subjects(built_backends())),
                         subject_name);

std::string number(int writer, int i) {
  return std::to_string(100 + i) + "-" + std::to_string(100 + writer);
}

// What a checkpoint of these tests holds: a value of its own, and one that all share.
void expect_whole(const CheckpointTuple& found) {
  EXPECT_EQ(value_of(found, "own"), found.checkpoint_id);
  EXPECT_EQ(value_of(found, "shared"), "shared");
}

TEST_P(Concurrency, of_writers_of_one_thread_loses_nothing) {
  const auto write_all = [&](int writer) {
    for (int i = 0; i < each; ++i) {
      const auto id = number(writer, i);
      put(Draft("t", id).value("own", id, id).value("shared", "1", "shared"));
      put_writes("t", id, {pending("task", 0, "a", id), pending("task", -4, "r", id)});
      const auto found = load("t", id);  // Own writes are read at once.
      expect_whole(found);
      EXPECT_EQ(found.writes.size(), 2U);
    }
  };
  const auto read = [&] {
    if (const auto found = get("t")) expect_whole(*found);
    auto query = of_thread("t");
    query.limit = 7;
    std::string last = "~";
    for (const auto& item : all(query)) {
      EXPECT_LT(item.checkpoint_id, last) << "newest first, across pages";
      last = item.checkpoint_id;
      expect_whole(item);
    }
  };
  run(write_all, read);
  EXPECT_EQ(ids_of("t").size(), static_cast<std::size_t>(writers) * each);
}

TEST_P(Concurrency, never_shows_a_latest_that_goes_back) {
  std::mutex mutex;
  std::string acknowledged;
  const auto write = [&](int writer) {
    for (int i = 0; i < each; ++i) {
      const auto id = number(writer, i);
      put(Draft("t", id));
      const std::lock_guard lock(mutex);
      acknowledged = std::max(acknowledged, id);
    }
  };
  const auto read = [&] {
    std::string before;
    {
      const std::lock_guard lock(mutex);
      before = acknowledged;
    }
    if (before.empty()) return;
    const auto found = get("t");
    ASSERT_TRUE(found);
    EXPECT_GE(found->checkpoint_id, before) << "a read sees what was acknowledged before it";
  };
  run(write, read);
}

TEST_P(Concurrency, of_demands_for_the_latest_makes_one_chain) {
  put(Draft("t", "0000"));
  const auto advance = [&](int writer) {
    for (int done = 0; done < 5;) {
      const auto latest = load("t").checkpoint_id;
      const auto next = std::to_string(10'000 + std::stoi(latest) % 10'000 + 1).substr(1);
      const auto metadata = "{\"writer\": " + std::to_string(writer) + "}";
      try {
        put(Draft("t", next).parent(latest).metadata(metadata).require_latest_parent());
        ++done;
      } catch (const Error& error) {
        if (error.code() != Code::conflict) throw;
      }
    }
  };
  run(advance, [&] { get("t"); });
  const auto chain = all(of_thread("t"));
  ASSERT_EQ(chain.size(), static_cast<std::size_t>(writers) * 5 + 1);
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    EXPECT_EQ(chain[i].parent_checkpoint_id, chain[i + 1].checkpoint_id);
  }
  // Whether the writers met depends on the machine. A demand that comes too late is refused on any.
  try {
    put(Draft("t", "9999").parent("0000").require_latest_parent());
    ADD_FAILURE() << "a demand for a parent that is not the latest was met";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
}

TEST_P(Concurrency, of_first_writes_lets_one_win) {
  std::mutex mutex;
  std::set<std::string> winners;
  const auto race = [&](int writer) {
    const auto name = std::to_string(writer);
    const auto written = put_writes("t", "1", {pending("task", 0, "a", name)});
    if (written.changed == 0) return;
    const std::lock_guard lock(mutex);
    winners.insert(name);
  };
  put(Draft("t", "1"));
  run(race, [&] { EXPECT_LE(load("t").writes.size(), 1U); });
  ASSERT_EQ(winners.size(), 1U);
  EXPECT_EQ(load("t").writes.at(0).data.view(), *winners.begin());
}

TEST_P(Concurrency, of_deletion_and_writes_leaves_no_part_behind) {
  const auto work = [&](int writer) {
    const auto thread_id = "t" + std::to_string(writer % 2);
    for (int i = 0; i < each; ++i) {
      const auto id = number(writer, i);
      if (writer < 2) {
        write(DeleteThread{thread_id});
      } else {
        put(Draft(thread_id, id).value("own", id, id).value("shared", "1", "shared"));
      }
    }
  };
  const auto read = [&] {
    for (const auto& item : all({})) expect_whole(item);
  };
  run(work, read);
  for (const auto& item : all({})) expect_whole(item);
}

TEST_P(Concurrency, of_prune_and_writes_keeps_the_latest) {
  const auto work = [&](int writer) {
    for (int i = 0; i < each; ++i) {
      const auto id = number(writer, i);
      if (writer == 0) {
        prune({"t"});
      } else {
        put(Draft("t", id).value("own", id, id).value("shared", "1", "shared"));
      }
    }
  };
  put(Draft("t", "000").value("own", "000", "000").value("shared", "1", "shared"));
  run(work, [&] { expect_whole(load("t")); });
  EXPECT_EQ(load("t").checkpoint_id, number(writers - 1, each - 1));
  prune({"t"});
  EXPECT_EQ(ids_of("t").size(), 1U);
  expect_whole(load("t"));
}

TEST_P(Concurrency, of_copies_takes_whole_threads) {
  put_chain("t", 10);
  const auto work = [&](int writer) {
    const auto target = "copy-" + std::to_string(writer % 4);
    for (int i = 0; i < 5; ++i) write(CopyThread{"t", target});
  };
  const auto read = [&] {
    for (int i = 0; i < 4; ++i) {
      const auto copied = ids_of("copy-" + std::to_string(i)).size();
      EXPECT_TRUE(copied == 0 || copied == 10) << copied;
    }
  };
  run(work, read);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ids_of("copy-" + std::to_string(i)).size(), 10U);
}

}  // namespace
}  // namespace threadkeep::testing
