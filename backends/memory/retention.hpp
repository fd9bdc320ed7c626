// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <shared_mutex>
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
  std::vector<retention::RunRecord> runs;      // run n is at n - 1
  std::vector<retention::AuditEntry> audit;    // likewise
};

/// Retention on the tables of a store, under its lock.
class RetentionHost final : public retention::Host {
 public:
  /// Both must outlive this.
  RetentionHost(Tables& tables, std::shared_mutex& mutex) : tables_(tables), mutex_(mutex) {}

  void read(const Work& work, const Call& call) override;
  void write(const Work& work, const Call& call) override;
  /// The allocator does that.
  bool give_back(const Call&) override { return false; }
  TransferHost* transfer() override { return &transfer_; }

 private:
  Tables& tables_;
  std::shared_mutex& mutex_;
  RetentionNotes notes_;
  StoreTransfer transfer_{tables_, notes_, mutex_};
};

}  // namespace threadkeep::memory
