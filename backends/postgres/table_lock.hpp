// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// An advisory lock of a session that does nothing else. Nobody waits for it inside the server: see
/// setup_session.hpp.
class TableLock final : public tables::MigrationLock {
 public:
  /// Waits for `patience` at most. Throws Error(unavailable) that names the holder.
  TableLock(std::unique_ptr<Connection> connection, std::chrono::milliseconds patience,
            const std::function<void(const tables::LockHolder&)>& waiting, const Call& call);

  std::string name() const override;
  void check(const Call& call) override;

 private:
  bool try_lock(const Call& call);
  Error busy(const Call& call);
  std::string holder(const Call& call);

  std::unique_ptr<Connection> connection_;
  std::int64_t id_ = 0;
};

}  // namespace threadkeep::postgres
