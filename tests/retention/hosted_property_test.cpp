// SPDX-License-Identifier: Apache-2.0
// Random threads are swept, also while others write to them: what stays is as it was, what goes
// goes whole.
#include <mutex>
#include <thread>

#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

class HostedProperty : public Hosted {
 protected:
  std::vector<RandomThread> make_threads(int count) {
    std::vector<RandomThread> threads;
    for (int i = 0; i < count; ++i) {
      threads.push_back(make_random_thread(random_, number_++, base_));
      Hosted::store(threads.back());
    }
    return threads;
  }

  std::vector<std::string> described(const std::vector<Due>& all) {
    std::vector<std::string> lines;
    for (const Due& due : all) {
      std::string line = due.policy + ' ' + due.reason;
      for (const auto number : {due.threads, due.checkpoints, due.writes, due.blobs, due.bytes}) {
        line += ' ' + std::to_string(number);
      }
      lines.push_back(line);
    }
    return lines;
  }

  // What the audit says of a run, as preview() tells it.
  std::vector<Due> taken_by(std::int64_t run) {
    std::map<std::pair<std::string, std::string>, Due> sums;
    std::string cursor;
    do {
      const auto page = retention_->audit(cursor, 500, Call());
      cursor = page.next;
      for (const AuditEntry& entry : page.items) {
        if (entry.run == run) add(sums[{entry.policy, entry.reason}], entry);
      }
    } while (!cursor.empty());
    std::vector<Due> all;
    for (const auto& [key, due] : sums) all.push_back(due);
    return all;
  }
  static void add(Due& due, const AuditEntry& entry) {
    due.policy = entry.policy;
    due.reason = entry.reason;
    due.threads += entry.threads;
    due.checkpoints += entry.checkpoints;
    due.writes += entry.writes;
    due.blobs += entry.blobs;
    due.bytes += entry.bytes;
  }

  std::mt19937_64 random_{20261123};
  // Times of threads are whole hours before it, so that none is due to the microsecond.
  const std::int64_t base_ = clock_.now() - 1800 * second;
  int number_ = 0;
};

TEST_P(HostedProperty, what_stays_is_as_it_was_and_a_dry_run_counts_what_goes) {
  apply(random_policies);
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto threads = make_threads(100);
    const Content before = load(store_);
    const auto counted = described(retention_->preview(patient()));
    EXPECT_FALSE(counted.empty());
    const auto result = sweep(1 + static_cast<std::uint32_t>(random_() % 40));
    EXPECT_EQ(described(taken_by(result.run)), counted);
    const Content after = load(store_);
    const Content expected = survivors(threads, before, clock_.now());
    EXPECT_EQ(after.size(), expected.size());
    expect_equal(after, expected);
    expect_no_orphans(after);
    EXPECT_TRUE(retention_->preview(patient()).empty());
  }
}

/// Goes on with threads that it loaded before a sweep, while the sweep is under way.
class Writer {
 public:
  Writer(Store& store, TestClock& clock, const Content& before) : store_(store), clock_(clock) {
    for (const auto& [key, loaded] : before) {
      latest_[{std::get<0>(key), std::get<1>(key)}] = &loaded;
    }
  }

  void put() {
    for (const auto& [place, loaded] : latest_) {
      const CheckpointTuple child = child_of(loaded->tuple, "writer", clock_.now());
      try {
        store_.write(put_of(child), Call());
        stored_[key_of(child)] = child;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::conflict) << error.what();
      }
    }
  }

  std::map<Key, CheckpointTuple> stored_;

 private:
  Store& store_;
  TestClock& clock_;
  std::map<std::pair<std::string, std::string>, const Loaded*> latest_;
};

class HostedPropertyRaces : public HostedProperty {
 protected:
  // Old checkpoints are as they were, and new ones have the values that they carry.
  static void expect_intact(const Content& after, const Content& before, const Writer& writer) {
    Content old;
    for (const auto& [key, loaded] : after) {
      const auto written = writer.stored_.find(key);
      if (written == writer.stored_.end()) {
        old.emplace(key, loaded);
      } else {
        EXPECT_EQ(loaded.tuple.values, written->second.values)
            << std::get<0>(key) << ' ' << std::get<2>(key);
      }
    }
    expect_equal(old, before);
  }
  // A thread whose clock runs anew with each put does not go once one was stored in it.
  static void expect_resumed(const std::vector<RandomThread>& threads, const Content& after,
                             const Writer& writer) {
    std::map<std::string, bool> sliding;
    for (const RandomThread& thread : threads) {
      sliding[thread.facts.thread_id] =
          !thread.facts.expires_at && !thread.facts.thread_id.starts_with("mail-");
    }
    for (const auto& [key, tuple] : writer.stored_) {
      if (!sliding[std::get<0>(key)]) continue;
      EXPECT_TRUE(after.contains(key)) << std::get<0>(key) << ' ' << std::get<2>(key);
    }
  }
};

TEST_P(HostedPropertyRaces, what_stays_is_as_it_was_while_others_write) {
  apply(random_policies);
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto threads = make_threads(85);
    const Content before = load(store_);
    Writer writer(store_, clock_, before);
    std::thread other([&] { writer.put(); });
    sweep(3);
    other.join();
    const Content after = load(store_);
    expect_intact(after, before, writer);
    expect_resumed(threads, after, writer);
    sweep();
    const Content swept = load(store_);
    expect_intact(swept, before, writer);
    expect_no_orphans(swept);
    ThreadList all;
    all.limit = 100'000;
    for (const auto& info : store_.threads(all, Call()).items) {
      store_.write(DeleteThread{info.thread_id}, Call());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedProperty, ::testing::ValuesIn(hosted_urls()), scheme_of);
INSTANTIATE_TEST_SUITE_P(Stores, HostedPropertyRaces, ::testing::ValuesIn(hosted_urls()),
                         scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
