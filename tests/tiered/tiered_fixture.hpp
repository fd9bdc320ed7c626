// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chaos_store.hpp"
#include "layers/tiered.hpp"
#include "logged.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/redis_server.hpp"

/// \file
/// Tiered stores on real servers, as the tests of them share them.

namespace threadkeep::tiered_test {

using postgres_test::apply;
using postgres_test::comes_true;
using postgres_test::must_fail;
using postgres_test::padded;
using postgres_test::RawDatabase;
using postgres_test::Schema;
using testing::Draft;
using testing::pending;
using testing::RedisServer;
using Strings = std::vector<std::string>;

inline std::string fresh_prefix() {
  static std::atomic<int> stores = 0;
  return "tiered" + std::to_string(++stores);
}

/// A store that counts for itself.
struct Opened {
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  std::unique_ptr<TieredBackend> store;

  std::uint64_t reads(const std::string& result) const {
    return metrics->counter("threadkeep_tiered_reads_total", "", {{"result", result}}).value();
  }
  std::uint64_t failures() const {
    return metrics->counter("threadkeep_tiered_hot_failures_total", "").value();
  }
  TieredBackend* operator->() const { return store.get(); }
  TieredBackend& operator*() const { return *store; }
};

/// Copies at once what is written, so that drain() need not wait.
inline Opened open_tiered(const std::string& durable, const std::string& hot,
                          TieredCheck check = TieredCheck::head,
                          std::chrono::milliseconds hot_timeout = TieredOptions().hot_timeout) {
  Opened opened;
  TieredOptions options;
  options.check = check;
  options.hot_timeout = hot_timeout;
  options.durable_name = Url::parse(durable).redacted();
  options.refresh.quiet = std::chrono::milliseconds(1);
  options.refresh.retry = std::chrono::milliseconds(20);
  options.metrics = opened.metrics;
  opened.store = std::make_unique<TieredBackend>(Registry::builtin().open(durable),
                                                 Registry::builtin().open(hot), options);
  return opened;
}

/// All that a checkpoint holds, as text; "-" when there is none.
inline std::string text_of(const std::optional<CheckpointTuple>& tuple) {
  if (!tuple) return "-";
  std::string text = tuple->thread_id + "/" + tuple->checkpoint_ns + "/" + tuple->checkpoint_id +
                     "<" + tuple->parent_checkpoint_id.value_or("-") + " " + tuple->document + " " +
                     tuple->metadata;
  for (const Blob& blob : tuple->values) {
    text += " " + blob.channel + "@" + blob.version + "=" + blob.type + ":";
    text += blob.data.view();
  }
  for (const PendingWrite& write : tuple->writes) {
    text += " " + write.task_path + "/" + write.task_id + "/" + std::to_string(write.idx) + "/" +
            write.channel + "=" + write.type + ":";
    text += write.data.view();
  }
  return text;
}

inline CheckpointQuery latest(const std::string& thread_id, const std::string& ns = {}) {
  return {.thread_id = thread_id, .checkpoint_ns = ns, .checkpoint_id = {}, .include = {}};
}

inline std::string read(Backend& store, const std::string& thread_id) {
  return text_of(store.get(latest(thread_id), Call()));
}

inline std::string id_of(Backend& store, const std::string& thread_id) {
  const auto tuple = store.get(latest(thread_id), Call());
  return tuple ? tuple->checkpoint_id : "-";
}

inline PutWrites writes_for(const std::string& thread_id, const std::string& id,
                            std::vector<PendingWrite> writes) {
  return {thread_id, "", id, std::move(writes)};
}

/// A tiered store in a schema and below a prefix of its own; Postgres alone; another program.
class TieredFixture : public ::testing::Test {
 protected:
  TieredFixture() { durable_->setup(Call()); }

  std::string hot_url() const { return RedisServer::shared().unix_url("prefix=" + prefix_); }
  Opened open(TieredCheck check = TieredCheck::head) const {
    return open_tiered(schema_.url(), hot_url(), check);
  }
  /// The name of the only entry in Redis.
  std::string entry() const { return RedisServer::shared().run({"KEYS", prefix_ + ":{cache}:*"}); }
  /// What is written is read once more, from Redis.
  static void warm(Opened& tiered, const std::string& thread_id = "t") {
    tiered->drain(Call());
    const auto hits = tiered.reads("hit");
    read(*tiered, thread_id);
    ASSERT_EQ(tiered.reads("hit"), hits + 1) << "it is not read from Redis";
  }

  const Schema schema_;
  const std::string prefix_ = fresh_prefix();
  std::unique_ptr<Backend> durable_ = Registry::builtin().open(schema_.url());
  RawDatabase raw_{schema_.url()};
};

}  // namespace threadkeep::tiered_test
