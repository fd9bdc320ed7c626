// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

#include "fork_locks.hpp"
#include "layers/call_layer.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// Whether there is another try, and after which wait. A value without a clock; not thread-safe.
class RetryPolicy {
 public:
  explicit RetryPolicy(const RetryOptions& options);

  /// A call begins: it earns its part of a retry.
  void begin() noexcept;

  /// What failed, how many tries there were, and how much time its caller has left.
  struct Failed {
    const Error& error;
    unsigned tries;
    std::chrono::nanoseconds left;
  };
  /// How long to wait before the next try; empty: the error stands. `random` is from 0 to below 1.
  std::optional<std::chrono::nanoseconds> next(const Failed& failed, double random) noexcept;

  /// False for what ends the same way again, and for what an open breaker refused.
  static bool may_retry(const Error& error) noexcept;

 private:
  RetryOptions options_;
  double tokens_;
};

/// What became of a batch over several tries. Not thread-safe; does not own the batch.
class BatchTries {
 public:
  explicit BatchTries(std::span<const Mutation> batch);

  /// Those to be sent in the next try, in order: what failed and can be repeated, unless a later
  /// one of its lane was carried out already.
  std::vector<std::size_t> again() const;
  /// Takes the outcomes of those that were sent.
  void record(std::span<const std::size_t> sent, std::vector<Outcome> outcomes);
  /// It may have been carried out by an earlier try.
  bool uncertain(std::size_t i) const { return entries_[i].uncertain; }
  /// Ends one with `outcome_unknown`: no try can tell.
  void give_up(std::size_t i, std::string_view why);
  const Outcome& outcome(std::size_t i) const { return entries_[i].outcome; }

  std::vector<Outcome> take();

 private:
  struct Entry {
    Outcome outcome;
    bool uncertain = false;
    bool given_up = false;
  };

  bool can_go_again(std::size_t i) const;

  std::span<const Mutation> batch_;
  std::vector<Entry> entries_;
};

/// The layer; see RetryOptions.
class RetryLayer final : public CallLayer<RetryLayer> {
 public:
  RetryLayer(std::unique_ptr<Backend> inner, const RetryOptions& options, const std::string& role,
             std::shared_ptr<Metrics> metrics);

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override;
  std::vector<Finding> examine(const Call& call) override;

  template <class Read>
  auto around(std::string_view /*operation*/, const Call& call, Read read) {
    begin();
    for (unsigned tries = 1;; ++tries) {
      try {
        return read(call);
      } catch (const Error& error) {
        if (!pause(error, tries, call)) throw;
      }
    }
  }

 private:
  void begin();
  /// Waits for the next try; false when there is none.
  bool pause(const Error& error, unsigned tries, const Call& call);
  void send(std::span<const Mutation> batch, std::span<const std::size_t> indices,
            BatchTries& tries, const Call& call);
  bool look_up(std::span<const Mutation> batch, std::span<const std::size_t> indices,
               BatchTries& tries, const Call& call);
  void doubt(std::span<const Mutation> batch, std::span<const std::size_t> sent, BatchTries& tries,
             const Call& call);

  const unsigned tries_;
  const std::shared_ptr<Metrics> metrics_;
  Counter& retries_;

  OwnProcess<std::mutex> mutex_;
  RetryPolicy policy_;
};

}  // namespace threadkeep
