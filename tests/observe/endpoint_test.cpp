// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "threadkeep/error.hpp"
#include "threadkeep/prometheus.hpp"

namespace threadkeep::testing {
namespace {

// What a server on this machine answers to a GET, headers and all.
std::string get(int port, const std::string& path) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(::send(client, request.data(), request.size(), 0),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::recv(client, part.data(), part.size(), 0)) > 0;) {
    answer.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(client);
  return answer;
}

TEST(PrometheusEndpoint, serves_what_the_metrics_say_now) {
  const auto metrics = std::make_shared<Metrics>();
  auto& counter = metrics->counter("threadkeep_test_total", "Tests.");
  const PrometheusEndpoint endpoint("127.0.0.1:0", metrics);
  ASSERT_GT(endpoint.port(), 0);
  for (int round = 1; round <= 3; ++round) {
    counter.add();
    const std::string answer = get(endpoint.port(), "/metrics");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\nthreadkeep_test_total " + std::to_string(round) + "\n"),
              std::string::npos)
        << answer;
  }
  EXPECT_TRUE(get(endpoint.port(), "/").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(get(endpoint.port(), "/../../etc/passwd").find("root:") == std::string::npos);
}

TEST(PrometheusEndpoint, serves_several_at_once_and_goes_while_they_ask) {
  const auto metrics = std::make_shared<Metrics>();
  metrics->gauge("g", "").set(1);
  auto endpoint = std::make_unique<PrometheusEndpoint>("127.0.0.1:0", metrics);
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([port = endpoint->port()] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_NE(get(port, "/metrics").find("\ng 1\n"), std::string::npos);
      }
    });
  }
  for (auto& client : clients) client.join();
  endpoint.reset();
}

TEST(PrometheusEndpoint, says_where_it_cannot_listen) {
  const PrometheusEndpoint first("127.0.0.1:0", std::make_shared<Metrics>());
  const std::string taken = "127.0.0.1:" + std::to_string(first.port());
  for (const std::string& address : {taken, std::string("nowhere")}) {
    try {
      const PrometheusEndpoint second(address, std::make_shared<Metrics>());
      FAIL() << "listens on " << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unavailable);
      EXPECT_NE(error.message().find(address), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace threadkeep::testing
