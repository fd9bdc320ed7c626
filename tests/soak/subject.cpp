// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <thread>
#include <utility>

#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "threadkeep/testing/temporary_directory.hpp"
#include "threadkeep/url.hpp"

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
  std::string url(int) const override { return proxy_.in_front_of(direct_url()); }
  std::string disturb(std::mt19937& random, const std::vector<pid_t>&) override {
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

// What is committed is with the system, which goes on when the server is killed.
const std::vector<std::pair<std::string, std::string>> commits_at_once{
    {"synchronous_commit", "on"}};

class OnPostgres : public Own<PostgresServer> {
 public:
  OnPostgres() : Own({.settings = commits_at_once}) {}
  std::string direct_url() const override {
    return server_.url() + "?pool_size=4&connect_timeout=2";
  }

 protected:
  void stop() override { server_.stop(PostgresServer::Stop::fast); }
};

class OnRedis : public Own<RedisServer> {
 public:
  explicit OnRedis(std::string parameters = "durability=fsync")
      : Own({.durable = true}), parameters_(std::move(parameters)) {}
  std::string direct_url() const override {
    return server_.url("pool_size=4&connect_timeout=2s&" + parameters_);
  }
  void flush() { server_.run({"FLUSHALL"}); }

 protected:
  void stop() override { server_.run({"SHUTDOWN"}); }
  void start() override {
    server_.repair();
    server_.start();
  }

 private:
  const std::string parameters_;
};

// Its processes have journals of their own; without processes the journal is in memory. They are so
// small that they become full in longer outages, and do not take long to be replayed.
template <class Primary, int count>
class WithFallback final : public Primary {
 public:
  int processes() const override { return count; }
  std::string url(int process) const override {
    const auto file = directory_.path() / ("journal" + std::to_string(process));
    const auto journal = count == 0 ? "memory:" : "sqlite:" + file.string();
    return Primary::url(process) + "&fallback_journal=2MiB&fallback=" + percent_encode(journal);
  }
  // Longer outages as well: most of what is tested happens in one.
  std::string disturb(std::mt19937& random, const std::vector<pid_t>& processes) override {
    if (random() % 4 != 0) return Primary::disturb(random, processes);
    this->kill();
    pause(random, 500, 3000);
    this->start();
    return "killed for long";
  }

 private:
  testing::TemporaryDirectory directory_;
};

class Tiered final : public Subject {
 public:
  std::string url(int) const override {
    return "tiered:?hot=" + percent_encode(hot_.url(0)) +
           "&durable=" + percent_encode(durable_.url(0));
  }
  std::string direct_url() const override { return durable_.direct_url(); }
  std::string disturb(std::mt19937& random, const std::vector<pid_t>& processes) override {
    const auto dice = random() % 10;
    if (dice < 5) return "Postgres: " + durable_.disturb(random, processes);
    if (dice < 8) return "Redis: " + hot_.disturb(random, processes);
    hot_.flush();
    return "Redis: flushed";
  }

 private:
  OnPostgres durable_;
  OnRedis hot_{"prefix=hot"};
};

// A primary whose commits wait for its standby, which takes over again and again. Each server has
// one place for all who were and are there.
class Failover final : public Subject {
 public:
  Failover() {
    servers_[0] =
        std::make_unique<PostgresServer>(PostgresServer::Options{.settings = commits_at_once});
    servers_[0]->set("synchronous_standby_names", "'*'");
    follow(*servers_[0], 1);
    for (std::size_t i = 0; i < 2; ++i) {
      proxies_[i] = std::make_unique<TcpProxy>(servers_[i]->port());
    }
  }
  std::string url(int) const override {
    return "postgresql://threadkeep@127.0.0.1:" + std::to_string(proxies_[0]->port()) +
           ",127.0.0.1:" + std::to_string(proxies_[1]->port()) +
           "/store?target_session_attrs=read-write&pool_size=4&connect_timeout=2";
  }
  std::string direct_url() const override { return servers_.at(primary_)->url(); }
  std::string disturb(std::mt19937& random, const std::vector<pid_t>&) override {
    const auto dice = random() % 12;
    if (faults_++ == 0 || dice < 2) return fail_over(dice % 2 == 0);
    if (dice == 2) return restart_standby(random);
    return disturb_network(*proxies_.at(random() % 2), random);
  }

 private:
  void follow(const PostgresServer& primary, std::size_t at) {
    servers_.at(at) = std::make_unique<PostgresServer>(
        PostgresServer::Options{.settings = commits_at_once, .standby_of = &primary});
  }
  std::string fail_over(bool killed) {
    const auto old = std::exchange(primary_, 1 - primary_);
    killed ? servers_[old]->kill() : servers_[old]->stop(PostgresServer::Stop::fast);
    servers_[primary_]->promote();
    follow(*servers_[primary_], old);
    proxies_[old]->lead_to(servers_[old]->port());
    return killed ? "failover after a crash" : "failover after a shutdown";
  }
  std::string restart_standby(std::mt19937& random) {
    PostgresServer& standby = *servers_.at(1 - primary_);
    standby.kill();
    pause(random, 1, 1000);
    standby.start();
    return "standby killed";
  }

  std::array<std::unique_ptr<PostgresServer>, 2> servers_;
  std::array<std::unique_ptr<TcpProxy>, 2> proxies_;
  std::size_t primary_ = 0;
  int faults_ = 0;
};

// One file, several processes, and no room for it to grow at times.
class OnSqlite final : public Subject {
 public:
  int processes() const override { return 2; }
  std::string url(int) const override { return direct_url(); }
  std::string direct_url() const override { return "sqlite:" + file().string(); }
  std::string disturb(std::mt19937& random, const std::vector<pid_t>& processes) override {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file(), ignored);
    for (const pid_t pid : processes) limit(pid, ignored ? 0 : random() % (size + size / 4 + 1));
    pause(random, 50, 600);
    for (const pid_t pid : processes) limit(pid, RLIM_INFINITY);
    return "no space";
  }

 private:
  std::filesystem::path file() const { return directory_.path() / "store.db"; }
  static void limit(pid_t pid, rlim_t size) {
    const rlimit limit{size, RLIM_INFINITY};
    prlimit(pid, RLIMIT_FSIZE, &limit, nullptr);  // It may be gone.
  }

  testing::TemporaryDirectory directory_;
};

class OfOthers final : public Subject {
 public:
  explicit OfOthers(std::string url) : url_(std::move(url)) {}
  std::string url(int) const override { return url_; }
  std::string direct_url() const override { return url_; }
  std::string disturb(std::mt19937&, const std::vector<pid_t>&) override { return "nothing"; }

 private:
  const std::string url_;
};

struct Known {
  std::string name;
  std::string what;
  std::function<std::unique_ptr<Subject>()> make;
};

template <class Kind>
std::unique_ptr<Subject> make() {
  return std::make_unique<Kind>();
}

const std::vector<Known>& known() {
  static const std::vector<Known> subjects{
      {"postgres", "a server behind a proxy", make<OnPostgres>},
      {"redis", "a server behind a proxy", make<OnRedis>},
      {"sqlite", "a file of two processes, which are killed", make<OnSqlite>},
      {"failover", "Postgres and its synchronous standby", make<Failover>},
      {"tiered", "Redis before Postgres", make<Tiered>},
      {"fallback", "Postgres with a fallback in memory", make<WithFallback<OnPostgres, 0>>},
      {"fallback_redis", "Redis with a fallback in memory", make<WithFallback<OnRedis, 0>>},
      {"journals", "Postgres; two processes with journals in SQLite, which are killed",
       make<WithFallback<OnPostgres, 2>>},
  };
  return subjects;
}

}  // namespace

std::string subject_names() {
  std::string names;
  for (const Known& one : known()) {
    names +=
        "               " + one.name + std::string(16 - one.name.size(), ' ') + one.what + "\n";
  }
  return names;
}

std::unique_ptr<Subject> make_subject(const std::string& name) {
  for (const Known& one : known()) {
    if (one.name == name) return one.make();
  }
  return std::make_unique<OfOthers>(name);
}

}  // namespace threadkeep::soak
