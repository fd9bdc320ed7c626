// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "logged.hpp"
#include "threadkeep/layers.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/session_store.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

/// \file
/// What the tests of the fallback share: servers that come and go, stores that go on without them.

namespace threadkeep::fallback_test {

using namespace std::chrono_literals;
using testing::Draft;
using testing::pending;

/// A server of the test's own that can be away for a while and keeps its data.
class Server {
 public:
  virtual ~Server() = default;
  virtual std::string url() const = 0;
  virtual void stop() = 0;
  virtual void kill() = 0;
  virtual void start() = 0;
};

std::unique_ptr<Server> make_postgres();
/// SQL for the server of make_postgres(), as superuser and in no database of a test.
void run_on_postgres(const std::string& sql);
std::unique_ptr<Server> make_redis();

/// Options with short times.
FallbackOptions options();

/// The store at `url` with the journal at `journal` ("memory:"), as Store hands calls to it.
std::shared_ptr<Store> open_with_fallback(const std::string& url, const std::string& journal,
                                          FallbackOptions options = fallback_test::options());

/// "2" of thread "t" goes on from "1", and says "2" in its only channel.
PutCheckpoint step(const std::string& thread_id, int number);
/// As step(), of the first one.
PutCheckpoint first_step(const std::string& thread_id);
std::string id_of(int number);
std::string text_of(const CheckpointTuple& tuple);

std::optional<CheckpointTuple> latest(Store& store, const std::string& thread_id);
/// The ids of all checkpoints of a thread, the oldest first.
std::vector<std::string> ids_of(Store& store, const std::string& thread_id);

/// The error that a call ends with; none when it ends without.
std::optional<Error> error_of(const std::function<void()>& call);
/// Fails the test when there is none.
Code code_of(const std::function<void()>& call);

/// Waits for it to become true, for a minute at most.
bool comes_true(const std::function<bool()>& condition);
/// All that was accepted is stored.
bool is_healthy(Store& store);

/// A number of the process; 0 before it exists.
double metric(const std::string& name);

/// The ids of the first steps.
std::vector<std::string> ids_to(int number);

/// A store with a fallback, whose server comes and goes.
class ServerTest : public ::testing::Test {
 protected:
  /// Sets up the server's store, and opens none.
  explicit ServerTest(std::unique_ptr<Server> server);

  /// Without a fallback: what another program sees.
  std::shared_ptr<Store> plain() const { return open(server_->url()); }
  std::vector<std::string> stored(const std::string& thread_id) const;
  void put(Mutation mutation) { store_->write(std::move(mutation), Call()); }
  /// A thread of which the latest checkpoint was read.
  void make_cached(const std::string& thread_id, int steps);
  static bool nothing_waits();

  testing::Logged log_;
  const std::unique_ptr<Server> server_;
  const testing::TemporaryDirectory directory_;
  std::shared_ptr<Store> store_;
};

}  // namespace threadkeep::fallback_test
