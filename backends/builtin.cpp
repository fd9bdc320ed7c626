// SPDX-License-Identifier: Apache-2.0
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
    return r;
  }();
  return registry;
}

std::shared_ptr<Store> open(std::string_view url, const Registry& registry) {
  return std::make_shared<Store>(registry.open(url));
}

}  // namespace threadkeep
