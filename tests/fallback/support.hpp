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

#include "threadkeep/layers.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/session_store.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"

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
std::unique_ptr<Server> make_redis();

/// What the process logs while this lives.
class Log {
 public:
  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  std::vector<LogRecord> of(const std::string& event) const;
  std::size_t count(const std::string& event) const { return of(event).size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<LogRecord> records_;
};

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

}  // namespace threadkeep::fallback_test
