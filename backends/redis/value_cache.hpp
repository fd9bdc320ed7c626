// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "database.hpp"
#include "fork_guard.hpp"
#include "threadkeep/value_cache.hpp"

namespace threadkeep::redis {

/// Entries are strings of their own, `PREFIX:{cache}:KEY`; see docs/storage/redis.md.
class RedisValueCache final : public ValueCache {
 public:
  /// Both must live as long as this.
  RedisValueCache(Database& database, const ForkGuard& fork_guard)
      : database_(database), fork_guard_(fork_guard) {}

  std::optional<Bytes> get(std::string_view key, const Call& call) override;
  void set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
           const Call& call) override;
  void erase(std::string_view key, const Call& call) override;

 private:
  std::string name_of(std::string_view key) const;
  Reply run(const Pipeline& pipeline, const Call& call);

  Database& database_;
  const ForkGuard& fork_guard_;
};

}  // namespace threadkeep::redis
