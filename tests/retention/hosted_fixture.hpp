// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "contents.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::retention_test {

using testing::Draft;
using testing::pending;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;

/// Opens stores whose clock is this one.
class TestClock {
 public:
  std::unique_ptr<Backend> open(const std::string& url) {
    return Registry::builtin().open(url, {.now = [this] { return now_.load(); }, .first_use = {}});
  }
  std::int64_t now() const { return now_; }
  void set(std::int64_t now) { now_ = now; }
  void pass(std::int64_t time) { now_ += time; }

 private:
  std::atomic<std::int64_t> now_ = 1'790'000'000 * second;
};

/// For calls of very many steps: the machine may be busy.
inline Call patient() {
  return {.deadline = Deadline::never(), .stop = {}};
}

/// A store on which this program carries retention out; the parameter is its URL, in which {dir}
/// stands for a directory of the test's own, or "redis:" for a store on the shared server.
class Hosted : public ::testing::TestWithParam<std::string> {
 protected:
  explicit Hosted(bool installed = true)
      : store_(clock_.open(url())), retention_(retention::open_retention(store_)) {
    if (installed) retention_->install(Call());
  }

  const std::string& url() const { return url_; }
  void apply(const std::string& json) {
    retention_->apply(retention::policies_from_json(json), Call());
  }
  /// A line of checkpoints "1", "2", ..., each with a value of its own in `a` and all with one in
  /// `shared`.
  void put_line(const std::string& thread, int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string id = std::to_string(i);
      Draft draft(thread, id);
      if (i > 1) draft.parent(std::to_string(i - 1));
      draft.value("a", id, "value " + id);
      if (i == 1) draft.value("shared", "1", "for all");
      if (i > 1) draft.carries("shared", "1");
      store_.write(draft, Call());
      store_.write(PutWrites{thread, "", id, {pending("task", 0, "a", "write " + id)}}, Call());
    }
  }
  std::vector<std::string> ids(const std::string& thread) {
    CheckpointList query;
    query.thread_id = thread;
    std::vector<std::string> found;
    for (const auto& tuple : store_.list(query, Call()).items) found.push_back(tuple.checkpoint_id);
    std::ranges::sort(found);
    return found;
  }
  std::vector<std::string> threads() {
    std::vector<std::string> found;
    for (const auto& info : store_.threads({}, Call()).items) found.push_back(info.thread_id);
    return found;
  }
  std::uint64_t rows(const std::string& kind) {
    StatsQuery query;
    query.exact = true;
    for (const auto& entity : store_.stats(query, patient()).entities) {
      if (entity.name == kind) return entity.rows;
    }
    return 0;
  }
  retention::SweepResult sweep(std::uint32_t batch = 1000) {
    retention::SweepOptions options;
    options.batch_size = batch;
    return retention_->sweep(options, patient());
  }
  /// Stores a thread with the times of its facts, which lose what such a store always knows.
  void store(RandomThread& thread) {
    auto& facts = thread.facts;
    const std::int64_t begun =
        facts.created_at.value_or(facts.updated_at.value_or(clock_.now() - 20 * day));
    const std::int64_t here = clock_.now();
    clock_.set(begun);
    const PutCheckpoint* last = nullptr;
    for (const Mutation& mutation : thread.mutations) {
      store_.write(mutation, Call());
      if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) last = put;
    }
    facts.created_at = begun;
    facts.updated_at = std::max(begun, facts.updated_at.value_or(begun));
    clock_.set(*facts.updated_at);
    store_.write(*last, Call());
    clock_.set(here);
    if (facts.pinned) retention_->pin(facts.thread_id, Call());
    if (facts.held) retention_->hold(facts.thread_id, "case 1", Call());
    if (facts.expires_at) retention_->expire(facts.thread_id, facts.expires_at, Call());
  }

  /// Every blob is named, and every write has its checkpoint.
  void expect_no_orphans(const Content& content) {
    std::set<std::vector<std::string>> named;
    std::uint64_t writes = 0;
    for (const auto& [key, loaded] : content) {
      const CheckpointTuple& tuple = loaded.tuple;
      writes += tuple.writes.size();
      for (const auto& [channel, version] : read_document(tuple.document).versions) {
        named.insert({tuple.thread_id, tuple.checkpoint_ns, channel, version});
      }
    }
    EXPECT_EQ(rows("writes"), writes);
    std::uint64_t found = 0;
    store_.retention()->read(
        [&](retention::Transaction& transaction) { found = count_named(transaction, named); },
        patient());
    EXPECT_EQ(rows("blobs"), found);
  }
  static std::uint64_t count_named(retention::Transaction& transaction,
                                   const std::set<std::vector<std::string>>& named) {
    std::uint64_t found = 0;
    for (const std::string& id : transaction.threads_after("", 100'000)) {
      for (const retention::BlobRow& blob : transaction.load(id).blobs) {
        found += named.count({id, blob.checkpoint_ns, blob.channel, blob.version});
      }
    }
    return found;
  }

  testing::TemporaryDirectory directory_;
  const std::string url_ = make_url(GetParam());
  TestClock clock_;
  Store store_;
  std::unique_ptr<retention::Retention> retention_;

 private:
  std::string make_url(std::string url) const {
    static int stores = 0;
    if (url == "redis:") {
      return testing::RedisServer::shared().url("prefix=hosted" + std::to_string(++stores));
    }
    const auto at = url.find("{dir}");
    if (at != std::string::npos) url.replace(at, 5, directory_.path().string());
    return url;
  }
};

inline std::vector<std::string> hosted_urls() {
  std::vector<std::string> urls;
#ifdef THREADKEEP_TEST_MEMORY
  urls.emplace_back("memory:");
#endif
#ifdef THREADKEEP_TEST_SQLITE
  urls.emplace_back("sqlite:{dir}/store.db?synchronous=normal");
#endif
#ifdef THREADKEEP_TEST_REDIS
  urls.emplace_back("redis:");
#endif
  return urls;
}

inline std::string scheme_of(const ::testing::TestParamInfo<std::string>& info) {
  return info.param.substr(0, info.param.find(':'));
}

}  // namespace threadkeep::retention_test
