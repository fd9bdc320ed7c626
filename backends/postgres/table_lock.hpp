// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// An advisory lock of a session that does nothing else. Nobody waits for it inside the server: see
/// setup_session.hpp. The lock of a holder that was killed is free at once, while a commit of its
/// may still be on its way to the server: who takes the lock waits for such transactions too.
class TableLock final : public tables::MigrationLock {
 public:
  /// Waits for `patience` at most. Throws Error(unavailable) that names the holder.
  TableLock(std::unique_ptr<Connection> connection, std::chrono::milliseconds patience,
            const tables::OnWaiting& waiting, const Call& call);

  std::string name() const override;
  void check(const Call& call) override;

 private:
  /// Who has to be waited for, and what for.
  struct Obstacle {
    std::string what;  ///< Goes before the process.
    std::string process;
    std::int64_t pid = 0;  ///< 0: gone by now.
  };

  std::optional<Obstacle> obstacle(const Call& call);
  static Error busy(const Obstacle& obstacle);

  std::unique_ptr<Connection> connection_;
  std::int64_t id_ = 0;
  bool held_ = false;
};

}  // namespace threadkeep::postgres
