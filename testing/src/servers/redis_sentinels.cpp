// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/redis_sentinels.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace threadkeep::testing {

namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr auto patience = 60s;

Lines settings_for(const RedisServer& master, const RedisSentinels::Options& options) {
  const auto place = "127.0.0.1 " + std::to_string(master.port());
  const auto quorum = std::to_string(options.count / 2 + 1);
  Lines lines = {{"sentinel", "monitor mymaster " + place + " " + quorum},
                 {"sentinel", "down-after-milliseconds mymaster 500"},
                 {"sentinel", "failover-timeout mymaster 5000"}};
  lines.insert(lines.end(), options.settings.begin(), options.settings.end());
  return lines;
}

}  // namespace

RedisSentinels::RedisSentinels(const RedisServer& master, std::size_t replicas)
    : RedisSentinels(master, replicas, Options()) {}

RedisSentinels::RedisSentinels(const RedisServer& master, std::size_t replicas,
                               const Options& options) {
  const RedisServer::Options one{.sentinel = true, .settings = settings_for(master, options)};
  for (std::size_t i = 0; i < options.count; ++i) {
    sentinels_.push_back(std::make_unique<RedisServer>(one));
  }
  const auto end = std::chrono::steady_clock::now() + patience;
  const auto agrees = [&](const auto& sentinel) { return agree(*sentinel, replicas); };
  while (!std::all_of(sentinels_.begin(), sentinels_.end(), agrees)) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the sentinels do not agree:\n" + sentinels_.front()->log());
    }
    std::this_thread::sleep_for(20ms);
  }
}

bool RedisSentinels::agree(const RedisServer& sentinel, std::size_t replicas) const {
  const std::string status = sentinel.run({"INFO", "sentinel"});
  return status.find("status=ok") != std::string::npos &&
         status.find("slaves=" + std::to_string(replicas) + ",") != std::string::npos &&
         status.find("sentinels=" + std::to_string(sentinels_.size())) != std::string::npos;
}

std::string RedisSentinels::url(const std::string& parameters) const {
  std::string hosts;
  for (const auto& sentinel : sentinels_) {
    hosts += (hosts.empty() ? "" : ",") + ("127.0.0.1:" + std::to_string(sentinel->port()));
  }
  return "redis+sentinel://" + hosts + "/mymaster/0" + (parameters.empty() ? "" : "?") + parameters;
}

std::uint16_t RedisSentinels::master_port(std::size_t sentinel) const {
  const auto address =
      sentinels_[sentinel]->run({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"});
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.find('\n') + 1)));
}

void RedisSentinels::fail_over() {
  const auto answer = sentinels_.front()->run({"SENTINEL", "FAILOVER", "mymaster"});
  if (answer != "OK") throw std::runtime_error("the sentinel does not fail over: " + answer);
}

}  // namespace threadkeep::testing
