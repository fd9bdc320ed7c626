// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "fork_guard.hpp"
#include "layout.hpp"
#include "pool.hpp"
#include "statements.hpp"

namespace threadkeep::postgres {

/// A store on a server: its connections, what was found there, and the statements that fit.
/// Thread-safe. Must not be destroyed in a forked child: its connections are the parent's.
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
  struct Found {
    explicit Found(Layout found) : layout(std::move(found)), statements(layout) {}
    Layout layout;
    Statements statements;
  };

  std::shared_ptr<const Found> found() const;
  bool begin_looking(const Call& call);
  void end_looking(std::shared_ptr<const Found> found);

  const Settings settings_;
  ForkGuard fork_guard_;
  Pool pool_;
  mutable std::mutex mutex_;
  std::condition_variable_any looked_;
  bool looking_ = false;
  std::shared_ptr<const Found> found_;
};

}  // namespace threadkeep::postgres
