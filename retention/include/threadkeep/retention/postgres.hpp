// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/retention/policy.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::retention {

/// The retention that lives in a Postgres store: tables and functions of its schema, which psql,
/// cron or pg_cron call without threadkeep; see docs/operation/retention.md. Thread-safe; the store
/// must outlive it.
class PostgresRetention {
 public:
  /// Throws Error(unsupported) when the store has no SQL database.
  explicit PostgresRetention(Store& store);

  /// Creates or replaces what retention needs, in one transaction. Idempotent. To be done through
  /// the role that owns the tables: the functions act with its rights. Throws Error(unsupported)
  /// when a newer version of threadkeep has installed its own.
  void install(const Call& call);
  /// Lets a role preview and sweep, and nothing else.
  void grant(const std::string& role, const Call& call);

  /// Replaces the policies of the store.
  void apply(std::span<const Policy> policies, const Call& call);
  std::vector<Policy> policies(const Call& call);

  /// A pin keeps a thread as it is, and so does each hold until it is released. When these return,
  /// no sweep that judged the thread before deletes from it any more. False: it was so already.
  bool pin(const std::string& thread_id, const Call& call);
  bool unpin(const std::string& thread_id, const Call& call);
  bool hold(const std::string& thread_id, const std::string& name, const Call& call);
  bool release(const std::string& thread_id, const std::string& name, const Call& call);
  /// The thread goes at that time (microseconds since 1970 UTC) and not before by being idle. An
  /// absent time leaves it to the policies again.
  void expire(const std::string& thread_id, std::optional<std::int64_t> at, const Call& call);

 private:
  bool mark(const std::string& thread_id, const char* kind, const std::string& name, bool set,
            const Call& call);

  SqlHost& sql_;
};

}  // namespace threadkeep::retention
