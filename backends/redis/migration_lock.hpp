// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "database.hpp"
#include "heartbeat.hpp"
#include "threadkeep/migration_lock.hpp"

namespace threadkeep::redis {

/// A key that expires, which its holder renews: SET with NX and PX. It keeps two copies from doing
/// the work twice. Data does not depend on it: what a copy stores is only put where nothing is, so
/// that a holder which was silent for too long does no harm.
class MigrationLock final : public tables::MigrationLock {
 public:
  /// Waits for `patience` at most. Throws Error(unavailable) that names the holder. The database
  /// must outlive this.
  MigrationLock(Database& database, std::chrono::milliseconds patience,
                const tables::OnWaiting& waiting, const Call& call);
  ~MigrationLock() override;

  std::string name() const override;
  void check(const Call& call) override;

 private:
  bool take(const Call& call);
  tables::LockHolder holder(const Call& call) const;
  /// False: it is somebody else's, or nobody's.
  bool keep(std::chrono::milliseconds time, const Call& call) const;
  void renew(const std::stop_token& stop) const noexcept;
  [[noreturn]] void refuse(const Call& call) const;

  Database& database_;
  const std::string key_;
  const std::string value_;
  std::optional<Heartbeat> heartbeat_;  // The last: it uses the others.
};

}  // namespace threadkeep::redis
