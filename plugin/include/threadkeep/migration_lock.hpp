// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "threadkeep/call.hpp"

/// \file
/// The lock of a target: one migration at a time writes to it.

namespace threadkeep::tables {

/// Who holds a migration lock.
struct LockHolder {
  std::string description;  ///< "process 4242 (application 'x', client 10.0.0.1, for 12 s)"
};

/// Error::native() where another migration has the lock, and nothing is wrong with the target.
inline constexpr std::string_view lock_held = "lock_held";

/// Told now and then who holds a lock that is waited for; may be empty.
using OnWaiting = std::function<void(const LockHolder&)>;

/// The right to write to a target, for as long as this lives.
class MigrationLock {
 public:
  virtual ~MigrationLock() = default;
  virtual std::string name() const = 0;  ///< For people: "advisory lock 123456".
  /// Throws Error(conflict) once the lock is lost. To be called before each batch.
  virtual void check(const Call& call) = 0;
};

}  // namespace threadkeep::tables
