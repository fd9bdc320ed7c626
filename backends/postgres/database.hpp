// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "layout.hpp"
#include "pool.hpp"
#include "statements.hpp"

namespace threadkeep::postgres {

/// A store on a server: its connections, what was found there, and the statements that fit.
/// Thread-safe.
class Database {
 public:
  explicit Database(Settings settings);

  /// A connection to a store that is ready: the first lease looks at the schema and creates what
  /// first use may create (see setup.hpp).
  Lease lease(const Call& call);
  /// Everything that setup does, on a connection of its own; looks at the schema again afterwards.
  void setup(const Call& call);

  /// What was found. To be called under a lease.
  std::shared_ptr<const Layout> layout() const;
  /// The statements for it. To be called under a lease; keep it while requests refer to it.
  std::shared_ptr<const Statements> statements() const;
  const Settings& settings() const noexcept { return settings_; }

 private:
  // To be filled in by the implementation.
  const Settings settings_;
};

}  // namespace threadkeep::postgres
