// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/archived_thread.hpp"
#include "migration/tier/source.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::migration {

/// A thread as it was read, and how long its lines are.
struct ReadThread {
  ops::ArchivedThread thread;
  std::uint64_t bytes = 0;
};

/// A thread that a store lists, or of which it keeps something without listing it.
struct FoundThread {
  std::string thread_id;
  std::optional<ThreadInfo> info;
};

/// A store to be copied, with its own way to what no listing shows. Not thread-safe.
class StoreContents {
 public:
  /// Errors of a source are SourceErrors.
  enum class Side { source, target };
  using UseThreads = std::function<void(const std::vector<FoundThread>&)>;
  using UseScope = std::function<void(const std::string&)>;

  /// The store must outlive it.
  StoreContents(Store& store, Side side);
  ~StoreContents();
  StoreContents(const StoreContents&) = delete;
  StoreContents& operator=(const StoreContents&) = delete;

  Store& store() const noexcept { return store_; }
  /// Null where the store has none: a backend of somebody else.
  TransferHost* transfer() const noexcept { return transfer_; }

  /// Runs what reads the store.
  template <typename Work>
  auto read(Work work) const {
    return side_ == Side::source ? from_source(work) : work();
  }

  /// All of a thread; nothing where there is nothing of it.
  std::optional<ReadThread> thread(const std::string& thread_id,
                                   const std::optional<ThreadInfo>& info, const Call& call) const;
  /// Calls back for pages of threads: first those that are listed, by id, then the others.
  void each_page(const UseThreads& use, const Call& call) const;
  void each_scope(const UseScope& use, const Call& call) const;
  /// Of each thread; empty ones where the store has no transfer().
  std::vector<ThreadNotes> notes(const std::vector<FoundThread>& threads, const Call& call) const;

 private:
  void each_unlisted_page(const UseThreads& use, const Call& call) const;

  Store& store_;
  const Side side_;
  std::unique_ptr<TransferHost> own_;  // where the store keeps all in SQL
  TransferHost* transfer_ = nullptr;
};

}  // namespace threadkeep::migration
