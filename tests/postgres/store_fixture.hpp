// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "locks.hpp"
#include "postgres_backends.hpp"
#include "raw_database.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::postgres_test {

using testing::Draft;
using testing::pending;
using Strings = std::vector<std::string>;

/// A store in a schema of its own, and another program's view of it.
class StoreFixture : public ::testing::Test {
 protected:
  explicit StoreFixture(testing::PostgresSchemas& schemas = testing::bytewise_schemas())
      : schemas_(schemas),
        schema_(schemas.take()),
        url_(schemas.url(schema_)),
        backend_(Registry::builtin().open(url_)),
        raw_(url_) {
    backend_->setup(Call());
  }
  ~StoreFixture() override {
    backend_.reset();
    schemas_.give_back(schema_);
  }

  Outcome apply(Mutation mutation, const Call& call = Call()) {
    return backend_->apply({&mutation, 1}, call).front();
  }
  /// Must succeed.
  Written write(Mutation mutation) {
    const Outcome outcome = apply(std::move(mutation));
    if (outcome.error) ADD_FAILURE() << outcome.error->what();
    return outcome.written;
  }
  std::string lock_key(const std::string& thread_id) const {
    return std::to_string(postgres::lock_key(schema_, thread_id));
  }
  /// Returns when a session waits for a lock that another one holds. Throws after a while.
  void await_waiting_session() {
    const std::string waiting =
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'";
    RawDatabase watcher(url_);
    const Deadline deadline = Deadline::after(std::chrono::seconds(20));
    while (watcher.value(waiting) != "t") {
      if (deadline.passed()) throw std::runtime_error("no session waits for a lock");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  testing::PostgresSchemas& schemas_;
  const std::string schema_;
  const std::string url_;
  std::unique_ptr<Backend> backend_;
  RawDatabase raw_;
};

}  // namespace threadkeep::postgres_test
