// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/retention.hpp"

#include "hosted.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/retention/postgres.hpp"

namespace threadkeep::retention {

std::unique_ptr<Retention> open_retention(Store& store) {
  if (store.sql() != nullptr) return std::make_unique<PostgresRetention>(store);
  if (Host* host = store.retention()) return std::make_unique<HostedRetention>(*host);
  throw Error(Code::unsupported,
              "there is no retention for this store, which is " + store.capabilities().name);
}

}  // namespace threadkeep::retention
