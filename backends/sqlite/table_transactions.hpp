// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "connection.hpp"
#include "table_lock.hpp"
#include "table_snapshot.hpp"

namespace threadkeep::sqlite {

/// The transactions of what writes to tables of a target, on one connection: each makes sure that
/// the lock of the migration is still held. Foreign keys are looked at when it ends.
class TableTransactions {
 public:
  /// The connection must outlive it.
  TableTransactions(Connection& connection, std::shared_ptr<LockState> lock)
      : connection_(connection), lock_(std::move(lock)) {}
  ~TableTransactions() { roll_back(); }
  TableTransactions(const TableTransactions&) = delete;
  TableTransactions& operator=(const TableTransactions&) = delete;

  /// The work is a transaction, or a part of the group's.
  template <class Work>
  void run(const Call& call, Work work) {
    const Use use(connection_, call);
    if (!in_group_) begin();
    undone_on_failure([&] {
      work();
      if (!in_group_) connection_.commit();
    });
    if (!in_group_) lock_->writing = false;
  }

  /// Everything until end_group() is one transaction.
  void begin_group(const Call& call);
  /// `check` may throw, and then nothing of the group is written.
  template <class Check>
  void end_group(const Call& call, Check check) {
    const Use use(connection_, call);
    undone_on_failure([&] {
      check();
      lock_->confirm(connection_);
      connection_.commit();
    });
    in_group_ = false;
    lock_->writing = false;
  }
  bool in_group() const noexcept { return in_group_; }

  /// Rolls back what is open when the work throws.
  template <class Work>
  void undone_on_failure(Work work) {
    try {
      work();
    } catch (...) {
      roll_back();
      throw;
    }
  }

 private:
  void begin();
  void roll_back() noexcept;

  Connection& connection_;
  const std::shared_ptr<LockState> lock_;
  bool in_group_ = false;
};

}  // namespace threadkeep::sqlite
