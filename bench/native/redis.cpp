// SPDX-License-Identifier: Apache-2.0
#include <hiredis/hiredis.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <threadkeep/testing/redis_server.hpp>

#include "load.hpp"

namespace bench {

namespace {

constexpr int at_once = 64;

/// Sends as many bytes as a put does, 64 at once, and waits for all answers.
class Raw {
 public:
  explicit Raw(const std::string& socket) : context_(redisConnectUnix(socket.c_str()), redisFree) {
    if (!context_ || context_->err) throw std::runtime_error("cannot connect to " + socket);
  }

  void put_many() {
    for (int i = 0; i < at_once; ++i) append("raw-" + std::to_string(i), std::to_string(count_++));
    for (int i = 0; i < at_once; ++i) take_reply();
  }

 private:
  void append(const std::string& key, const std::string& id) {
    const std::array<std::string, 3> fields{"c" + id, "a" + id, "b" + id};
    redisAppendCommand(context_.get(), "HSET %b %b %b %b %b %b %b", key.data(), key.size(),
                       fields[0].data(), fields[0].size(), document().data(), document().size(),
                       fields[1].data(), fields[1].size(), payload().data(), payload().size(),
                       fields[2].data(), fields[2].size(), payload().data(), payload().size());
  }

  void take_reply() {
    void* reply = nullptr;
    const bool answered = redisGetReply(context_.get(), &reply) == REDIS_OK;
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(reply, freeReplyObject);
    if (!answered || static_cast<redisReply*>(reply)->type != REDIS_REPLY_INTEGER) {
      throw std::runtime_error("HSET failed");
    }
  }

  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
  long count_ = 0;
};

}  // namespace

void compare_redis() {
  threadkeep::testing::RedisServer server;
  const threadkeep::Checkpointer store(threadkeep::open(server.unix_url()));
  Raw raw(server.socket().string());
  compare(
      "Redis, put, 64 at once", [&] { return puts_per_second(store, at_once); },
      "64 HSET of the same bytes in one pipeline",
      [&] { return at_once * calls_per_second([&] { raw.put_many(); }); });
}

}  // namespace bench
