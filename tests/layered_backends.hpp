// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends_under_test.hpp"
#if defined(THREADKEEP_TEST_POSTGRES) && defined(THREADKEEP_TEST_REDIS)
#include "layers/tiered.hpp"
#endif

/// \file
/// All backends, and those that are made of others: what must be the same for them too.

namespace threadkeep::testing {

#if defined(THREADKEEP_TEST_POSTGRES) && defined(THREADKEEP_TEST_REDIS)
/// Waits until Redis has what was written, so that reads that follow come from there.
class DrainedTiered final : public ForwardingBackend {
 public:
  explicit DrainedTiered(std::unique_ptr<TieredBackend> tiered)
      : ForwardingBackend(std::move(tiered)) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    auto outcomes = inner().apply(batch, call);
    static_cast<TieredBackend&>(inner()).drain(Call());
    return outcomes;
  }
};

class TieredInSchema {
 public:
  explicit TieredInSchema(const Environment& environment) : schema_(bytewise_schemas().take()) {
    const std::string url = bytewise_schemas().url(schema_);
    const auto hot = RedisServer::shared().unix_url("prefix=tiered_" + schema_);
    TieredOptions options;
    options.durable_name = url;
    options.refresh.quiet = std::chrono::milliseconds(0);
    store_ = std::make_unique<Store>(std::make_unique<DrainedTiered>(
        std::make_unique<TieredBackend>(Registry::builtin().open(url, environment),
                                        Registry::builtin().open(hot, environment), options)));
  }
  ~TieredInSchema() {
    store_.reset();
    bytewise_schemas().give_back(schema_);
  }
  TieredInSchema(const TieredInSchema&) = delete;
  TieredInSchema& operator=(const TieredInSchema&) = delete;

  Store* store() { return store_.get(); }

 private:
  std::string schema_;
  std::unique_ptr<Store> store_;
};

inline BackendSpec tiered_backend() {
  return {"tiered", [](const Environment& environment) {
            auto kept = std::make_shared<TieredInSchema>(environment);
            return std::shared_ptr<Store>(kept, kept->store());
          }};
}

#endif

inline std::vector<BackendSpec> backends_and_layers() {
  auto backends = built_backends();
#ifdef THREADKEEP_TEST_MEMORY
  backends.push_back(backend_at("layered", "memory:?try_timeout=30s&retry=3&breaker=on"));
#endif
#if defined(THREADKEEP_TEST_POSTGRES) && defined(THREADKEEP_TEST_REDIS)
  backends.push_back(tiered_backend());
#endif
  return backends;
}

}  // namespace threadkeep::testing
