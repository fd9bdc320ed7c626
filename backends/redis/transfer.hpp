// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "fork_guard.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::redis {

/// What a copy needs of a server. It alone looks at the names of all keys (SCAN), because no
/// registry has threads without info and named scopes.
class StoreTransfer final : public TransferHost {
 public:
  /// All must outlive this.
  StoreTransfer(Database& database, const ForkGuard& fork_guard, const Environment& environment)
      : database_(database), fork_guard_(fork_guard), environment_(environment) {}

  std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                 const Call& call) override;
  void change(const std::vector<ThreadNotesChange>& changes, const Call& call) override;
  Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                             const Call& call) override;
  Page<std::string> scopes(const std::string& cursor, std::size_t limit, const Call& call) override;
  bool has_deadlines() const override { return true; }
  std::unique_ptr<tables::MigrationLock> lock(std::chrono::milliseconds patience,
                                              const tables::OnWaiting& waiting,
                                              const Call& call) override;

 private:
  Database& database_;
  const ForkGuard& fork_guard_;
  const Environment& environment_;
};

}  // namespace threadkeep::redis
