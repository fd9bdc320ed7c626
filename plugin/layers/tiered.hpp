// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fork_guard.hpp"
#include "layers/forwarding_backend.hpp"
#include "layers/hot_side.hpp"
#include "layers/refresher.hpp"

namespace threadkeep {

/// What keeps a worker from going on from an old state.
enum class TieredCheck {
  head,  ///< Each read: a cached checkpoint is used while the durable store's head() is its own.
  put,   ///< Each put: it demands that its parent still be the latest; reads may be old.
};

struct TieredOptions {
  TieredCheck check = TieredCheck::head;
  std::string durable_name;                    ///< Tells stores that share a hot one; no secret.
  std::chrono::milliseconds keep{3'600'000};   ///< Of an entry in the hot store.
  std::chrono::milliseconds hot_timeout{200};  ///< Of a call of the hot store.
  Refresher::Options refresh;
  std::shared_ptr<Metrics> metrics = Metrics::process();
};

/// A durable store with a hot one in front: the latest checkpoint of a thread's root namespace is
/// read from the hot one's cache(), all else from the durable one. Writes go to the durable one
/// alone; a worker copies what they led to. Whatever the hot one does, calls succeed: they are
/// late by hot_timeout at most, and a few of them only. Thread-safe.
///
/// Only the root namespace, because whoever deletes a thread has to remove its entries, and knows
/// no other namespaces of it. Turns begin by reading it; subgraphs' are read when they go on.
class TieredBackend final : public ForwardingBackend {
 public:
  /// `durable` has head(), `hot` a cache(); throws Error(invalid_argument) where it has not.
  TieredBackend(std::unique_ptr<Backend> durable, std::unique_ptr<Backend> hot,
                const TieredOptions& options);
  ~TieredBackend() override;

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override;
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override;
  Capabilities capabilities() const override;
  Health ping(const Call& call) override;
  std::vector<Finding> examine(const Call& call) override;

  /// Copies to the hot store what waits for that, and returns when all is there: for tests.
  void drain(const Call& call) { refresher_->drain(call); }

 private:
  class Writes;

  std::string key_of(const std::string& thread_id) const;
  std::optional<CheckpointTuple> get_cached(const CheckpointQuery& query, const Call& call);
  std::optional<std::string> look(const CheckpointQuery& query, const Call& call);
  bool is_from_here(const std::string& version) const;
  std::optional<CheckpointTuple> get_durable(const CheckpointQuery& query,
                                             const std::optional<std::string>& version,
                                             const Call& call);
  std::vector<Outcome> apply_demanding(std::span<const Mutation> batch, const Call& call);
  bool copy(const std::string& thread_id, const std::optional<VersionedTuple>& found,
            const Call& call);
  bool copy_checked(const std::string& thread_id, std::optional<VersionedTuple> found,
                    const Call& call);
  Counter& reads(const char* result) const;

  const TieredOptions options_;
  ForkGuard fork_guard_;
  HotSide hot_;
  mutable std::mutex place_mutex_;
  std::string place_;  // of the last version that was looked at
  Counter& hits_;
  Counter& misses_;
  Counter& stale_;
  Counter& bypassed_;
  std::unique_ptr<Refresher> refresher_;  // the last: its worker uses the others
};

}  // namespace threadkeep
