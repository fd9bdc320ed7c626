// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "threadkeep/checkpointer.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/session_store.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"

struct redisContext;

/// \file
/// What the tests of the Redis backend share: a plain client, hiredis itself, to look at a server
/// as any other program does.

namespace threadkeep::redis_test {

using testing::Draft;
using testing::pending;
using testing::RedisServer;

Checkpointer open_store(const std::string& url);
SessionStore open_sessions(const std::string& url);
/// On the shared server, with a prefix that no other call has returned.
std::string fresh_url(const std::string& parameters = {});

/// All but the latest checkpoint of each namespace go.
Written prune(Checkpointer& store, const std::string& thread_id);
Health health_of(const std::string& url);

/// Messages with these ids, whose content is 1, to the default stream.
AppendMessages messages_for(const std::string& thread_id, const std::vector<std::string>& ids);
/// Of the default stream.
MessageList messages_of(const std::string& thread_id, std::size_t limit = 100);

StateList documents_of(const StateScope& scope);

CheckpointList of_thread(const std::string& thread_id, std::size_t limit = 100,
                         const std::string& cursor = {});

/// The error that a call ends with; fails the test when there is none.
Error error_of(const std::function<void()>& call);
Code code_of(const std::function<void()>& call);

/// A store at this URL can be written, read and deleted from.
void expect_works(const std::string& url);
/// Nothing can be done with the store at this URL, for a reason of which `part` is a part.
void expect_refused(const std::string& url, Code code, const std::string& part);
/// What stands in an answer to PING about a store at this URL.
void expect_told_by_ping(const std::string& url, const std::string& part);

/// A connection of another program.
class RawClient {
 public:
  explicit RawClient(const RedisServer& server);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// One command; its answer as words, nested arrays flattened, nil as "(nil)", errors as they are.
  std::vector<std::string> run(const std::vector<std::string>& command);
  /// The only word.
  std::string value(const std::vector<std::string>& command);
  std::vector<std::string> keys(const std::string& pattern = "*");
  /// How often the server has carried out a command since CONFIG RESETSTAT, also from scripts.
  std::int64_t calls(const std::string& command);
  /// How many milliseconds each key has left; -1 where it stays.
  std::map<std::string, std::int64_t> lifetimes(const std::string& pattern = "*");

 private:
  redisContext* context_;
};

/// Runs `body(i)` in `count` processes at once; expects that none fails.
void run_processes(int count, const std::function<void(int)>& body);

/// Whether the server can confirm that it has written to its disk: from version 7.2 on.
bool has_waitaof(const RedisServer& server);

/// An id that sorts as its number.
std::string padded(int number);

}  // namespace threadkeep::redis_test
