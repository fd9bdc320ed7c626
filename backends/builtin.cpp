// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "layers/tiered.hpp"
#include "threadkeep/registry.hpp"

#ifdef THREADKEEP_WITH_MEMORY
#include "memory/memory_backend.hpp"
#endif
#ifdef THREADKEEP_WITH_POSTGRES
#include "postgres/postgres_backend.hpp"
#endif
#ifdef THREADKEEP_WITH_REDIS
#include "redis/redis_backend.hpp"
#endif
#ifdef THREADKEEP_WITH_SQLITE
#include "sqlite/sqlite_backend.hpp"
#endif

namespace threadkeep {

namespace {

bool has_head(const std::string& url) {
  const std::string scheme = Url::parse(url).scheme();
  return scheme == "postgresql" || scheme == "postgres";
}

// "0ms" would be an entry that is gone before it is read, or a call that has failed already.
void take_time(Url& url, std::string_view key, std::chrono::milliseconds& time) {
  const auto taken = url.take_duration(key);
  if (!taken) return;
  if (*taken == taken->zero()) url.problem("parameter '" + std::string(key) + "' must not be 0");
  time = *taken;
}

// See docs/operation/tiered.md.
std::unique_ptr<Backend> open_tiered(Url& url, const Environment& environment) {
  const auto hot = url.take("hot");
  const auto durable = url.take("durable");
  TieredOptions options;
  if (url.take_choice("check", {"head", "put"}) == "put") options.check = TieredCheck::put;
  take_time(url, "keep", options.keep);
  take_time(url, "hot_timeout", options.hot_timeout);
  if (url.authority() || !url.path().empty()) url.problem("write tiered:?hot=...&durable=...");
  if (!hot) url.problem("parameter 'hot' must be the URL of a Redis store, percent-encoded");
  if (!durable || !has_head(*durable)) {
    url.problem("parameter 'durable' must be the URL of a Postgres store, percent-encoded");
  }
  url.finish();
  options.durable_name = Url::parse(*durable).redacted();
  const Registry& registry = Registry::builtin();
  auto behind = registry.open(*durable, environment);
  return std::make_unique<TieredBackend>(std::move(behind), registry.open(*hot, environment),
                                         options);
}

}  // namespace

const Registry& Registry::builtin() {
  static const Registry registry = [] {
    Registry r;
#ifdef THREADKEEP_WITH_MEMORY
    r.add("memory", memory::open);
#endif
#ifdef THREADKEEP_WITH_POSTGRES
    r.add("postgres", postgres::open);
    r.add("postgresql", postgres::open);
#endif
#ifdef THREADKEEP_WITH_REDIS
    for (const char* scheme :
         {"redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel", "valkey", "valkeys",
          "valkey+unix", "valkey+sentinel", "valkeys+sentinel"}) {
      r.add(scheme, redis::open);
    }
#endif
#ifdef THREADKEEP_WITH_SQLITE
    r.add("sqlite", sqlite::open);
#endif
    r.add("tiered", open_tiered);
    return r;
  }();
  return registry;
}

std::shared_ptr<Store> open(std::string_view url, const Registry& registry) {
  return std::make_shared<Store>(registry.open(url));
}

}  // namespace threadkeep
