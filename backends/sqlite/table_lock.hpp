// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite {

/// What a database knows of the lock that it took: its writers look at it in each transaction.
/// Thread-safe.
class LockState {
 public:
  struct Claim {
    std::string owner;
    std::int64_t fence = 0;
  };

  std::optional<Claim> claim() const;
  void set(std::optional<Claim> claim);

  /// In a transaction that writes: notes that the holder lives. Throws Error(conflict) when another
  /// has taken the lock. Nothing happens when this database took none.
  void confirm(Connection& connection) const;

  /// A writer is in a transaction: nobody else can take the lock, nor this process renew it.
  std::atomic<bool> writing{false};

 private:
  mutable std::mutex mutex_;
  std::optional<Claim> claim_;
};

std::unique_ptr<tables::MigrationLock> take_lock(const Settings& settings,
                                                 const std::shared_ptr<LockState>& state,
                                                 std::chrono::milliseconds patience,
                                                 const tables::OnWaiting& waiting,
                                                 const Call& call);

}  // namespace threadkeep::sqlite
