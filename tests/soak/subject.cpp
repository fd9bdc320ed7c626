// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::soak {

namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::RedisServer;
using testing::TcpProxy;
using Direction = TcpProxy::Direction;

void pause(std::mt19937& random, unsigned least, unsigned most) {
  std::this_thread::sleep_for(std::chrono::milliseconds(least + random() % (most - least)));
}

std::string disturb_network(TcpProxy& proxy, std::mt19937& random) {
  const auto direction = random() % 2 == 0 ? Direction::to_server : Direction::to_client;
  const auto last = [&](std::string what) {
    pause(random, 50, 600);
    proxy.pass();
    return what;
  };
  switch (random() % 7) {
    case 0:
      proxy.cut();
      return "cut";
    case 1:
      proxy.cut_after(direction, random() % 20'000);
      return last("cut after some bytes");
    case 2:
      proxy.forget();
      return "connections forgotten";
    case 3:
      proxy.refuse();
      return last("new connections refused");
    case 4:
      proxy.delay(std::chrono::milliseconds(1 + random() % 40));
      return last("delay");
    case 5:
      proxy.fall_silent_after(direction, random() % 20'000);
      return last("silence after some bytes");
    default:
      proxy.fall_silent();
      return last("silence");
  }
}

// A server of our own behind a proxy.
template <class Server>
class Own : public Subject {
 public:
  std::string url() const override { return proxy_.in_front_of(direct_url()); }
  std::string disturb(std::mt19937& random) override {
    const auto dice = random() % 10;
    if (dice > 1) return disturb_network(proxy_, random);
    dice == 0 ? kill() : stop();
    pause(random, 1, 500);
    start();
    return dice == 0 ? "killed" : "stopped";
  }

 protected:
  explicit Own(typename Server::Options options) : server_(std::move(options)) {}

  virtual void stop() = 0;
  virtual void kill() { server_.kill(); }
  virtual void start() { server_.start(); }

  Server server_;
  TcpProxy proxy_{server_.port()};
};

class OnPostgres final : public Own<PostgresServer> {
 public:
  // What is committed is with the system, which goes on when the server is killed.
  OnPostgres() : Own({.settings = {{"synchronous_commit", "on"}}}) {}
  std::string direct_url() const override {
    return server_.url() + "?pool_size=4&connect_timeout=2";
  }

 private:
  void stop() override { server_.stop(PostgresServer::Stop::fast); }
};

class OnRedis final : public Own<RedisServer> {
 public:
  OnRedis() : Own({.durable = true}) {}
  std::string direct_url() const override {
    return server_.url("durability=fsync&pool_size=4&connect_timeout=2s");
  }

 private:
  void stop() override { server_.run({"SHUTDOWN"}); }
  void start() override {
    server_.repair();
    server_.start();
  }
};

class OfOthers final : public Subject {
 public:
  explicit OfOthers(std::string url) : url_(std::move(url)) {}
  std::string url() const override { return url_; }
  std::string direct_url() const override { return url_; }
  std::string disturb(std::mt19937&) override { return "nothing"; }

 private:
  const std::string url_;
};

}  // namespace

std::unique_ptr<Subject> make_subject(const std::string& backend) {
  if (backend == "postgres") return std::make_unique<OnPostgres>();
  if (backend == "redis") return std::make_unique<OnRedis>();
  return std::make_unique<OfOthers>(backend);
}

}  // namespace threadkeep::soak
