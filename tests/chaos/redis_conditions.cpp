// SPDX-License-Identifier: Apache-2.0
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <stdexcept>

#include "condition.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep::chaos_test {

namespace {

using testing::RedisServer;

class OnRedis : public Condition {
 public:
  std::string url() const override {
    return "redis://app:first@127.0.0.1:" + std::to_string(server_.port()) +
           "/0?durability=fsync&pool_size=4";
  }
  int connections() override {
    const auto clients = server_.run({"CLIENT", "LIST"});
    int count = 0;
    for (auto at = clients.find("user=app"); at != std::string::npos;
         at = clients.find("user=app", at + 1)) {
      ++count;
    }
    return count;
  }

 protected:
  void end_sessions() { server_.run({"CLIENT", "KILL", "USER", "app"}); }

  RedisServer server_{{.durable = true, .settings = {{"user", "app on >first ~* &* +@all"}}}};
};

class Restarted : public OnRedis {
 protected:
  void end() override {
    server_.repair();
    server_.start();
  }
};

class Stopped final : public Restarted {
  void begin() override { server_.run({"SHUTDOWN"}); }
};

class Killed final : public Restarted {
  void begin() override { server_.kill(); }
};

class Full final : public OnRedis {
  void begin() override { server_.run({"CONFIG", "SET", "maxmemory", "1"}); }
  void end() override { server_.run({"CONFIG", "SET", "maxmemory", "0"}); }
};

class Replica final : public OnRedis {
  void begin() override { server_.run({"REPLICAOF", "127.0.0.1", "1"}); }
  void end() override { server_.run({"REPLICAOF", "NO", "ONE"}); }
};

class WithoutReplicas final : public OnRedis {
  void begin() override { server_.run({"CONFIG", "SET", "min-replicas-to-write", "1"}); }
  void end() override { server_.run({"CONFIG", "SET", "min-replicas-to-write", "0"}); }
};

class OtherPassword final : public OnRedis {
  void begin() override {
    server_.run({"ACL", "SETUSER", "app", "resetpass", ">second"});
    end_sessions();
  }
  void end() override { server_.run({"ACL", "SETUSER", "app", "resetpass", ">first"}); }
};

// The one connection that there may be is ours.
class NoConnectionLeft final : public OnRedis {
 public:
  NoConnectionLeft() {
    own_.connect(asio::local::stream_protocol::endpoint(server_.socket().string()));
  }

 private:
  void begin() override {
    run("CLIENT KILL TYPE normal SKIPME yes");
    run("CONFIG SET maxclients 1");
    run("CLIENT KILL TYPE normal SKIPME yes");
  }
  void end() override { run("CONFIG SET maxclients 1000"); }

  void run(const std::string& command) {
    asio::write(own_, asio::buffer(command + "\r\n"));
    std::string answer;
    asio::read_until(own_, asio::dynamic_buffer(answer), "\r\n");
    if (answer[0] == '-') throw std::runtime_error(command + ": " + answer);
  }

  asio::io_context context_;
  asio::local::stream_protocol::socket own_{context_};
};

template <class Kind>
std::unique_ptr<Condition> make() {
  return std::make_unique<Kind>();
}

}  // namespace

std::vector<Case> redis_cases() {
  return {
      {"redis_stopped", make<Stopped>, Code::unavailable, Code::unavailable},
      {"redis_killed", make<Killed>, Code::unavailable, Code::unavailable},
      {"redis_full", make<Full>, Code::no_space, {}},
      {"redis_as_a_replica", make<Replica>, Code::unavailable, Code::unavailable},
      {"redis_without_the_replicas_it_needs", make<WithoutReplicas>, Code::unavailable, {}},
      {"redis_with_another_password", make<OtherPassword>, Code::denied, Code::denied},
      {"redis_with_no_connection_left", make<NoConnectionLeft>, Code::unavailable,
       Code::unavailable},
  };
}

}  // namespace threadkeep::chaos_test
