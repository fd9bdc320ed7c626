// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "fork_guard.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/retention_host.hpp"
#include "transfer.hpp"

namespace threadkeep::redis {

/// Retention on a server, which has no transaction over threads: each removal is a script that does
/// nothing when its thread is not as it was judged, or a later sweep has begun.
class RetentionHost final : public retention::Host {
 public:
  /// All must outlive this.
  RetentionHost(Database& database, const ForkGuard& fork_guard, const Environment& environment)
      : database_(database),
        fork_guard_(fork_guard),
        environment_(environment),
        transfer_(database, fork_guard, environment) {}

  void read(const Work& work, const Call& call) override;
  void write(const Work& work, const Call& call) override;
  /// The server frees memory; the names of threads that have expired go here.
  bool give_back(const Call& call) override;
  retention::ExpiryReport expiry(const Call& call) override;
  TransferHost* transfer() override { return &transfer_; }

 private:
  Database& database_;
  const ForkGuard& fork_guard_;
  const Environment& environment_;
  StoreTransfer transfer_;
};

}  // namespace threadkeep::redis
