// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "memory/tables.hpp"
#include "memory/transfer.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::memory {

/// What retention writes down beside the threads.
struct RetentionNotes {
  using Mark = std::tuple<std::string, std::string, std::string>;  // thread, kind, name

  int version = 0;
  std::string policies = "[]";
  std::set<Mark> marks;
  std::map<std::string, std::int64_t> expiry;  // by thread
  std::map<std::int64_t, retention::RunRecord> runs;
  std::int64_t last_run = 0;
  std::map<std::int64_t, retention::AuditEntry> audit;
  std::int64_t last_entry = 0;
};

/// Retention on the tables of a store, under its lock.
class RetentionHost final : public retention::Host {
 public:
  /// Both must outlive this.
  RetentionHost(Tables& tables, TableMutex& mutex) : tables_(tables), mutex_(mutex) {}

  void read(const Work& work, const Call& call) override;
  void write(const Work& work, const Call& call) override;
  /// The allocator does that.
  bool give_back(const Call&) override { return false; }
  TransferHost* transfer() override { return &transfer_; }

 private:
  Tables& tables_;
  TableMutex& mutex_;
  RetentionNotes notes_;
  StoreTransfer transfer_{tables_, notes_, mutex_};
};

}  // namespace threadkeep::memory
