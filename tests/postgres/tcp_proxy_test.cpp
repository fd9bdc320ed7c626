// SPDX-License-Identifier: Apache-2.0
// The proxy does each fault that it is asked for, exactly and not more.
#include "threadkeep/testing/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "raw_database.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::TcpProxy;
using Direction = TcpProxy::Direction;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Sends back what it gets, to one client at a time.
class EchoServer {
 public:
  EchoServer() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 8);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~EchoServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    for (int client; (client = accept(listener_, nullptr, nullptr)) >= 0; close(client)) {
      char buffer[4096];
      for (ssize_t size; (size = recv(client, buffer, sizeof buffer, 0)) > 0;) {
        send(client, buffer, static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(port);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void say(const std::string& text) { send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }

  // What comes until `size` bytes are there or nothing came for the time; "RESET" and "END" are
  // appended when the connection ended.
  std::string hear(std::size_t size, std::chrono::milliseconds time = 2s) {
    std::string heard;
    while (heard.size() < size) {
      pollfd readable{socket_, POLLIN, 0};
      if (poll(&readable, 1, static_cast<int>(time.count())) == 0) return heard;
      char buffer[4096];
      const auto got = recv(socket_, buffer, std::min(sizeof buffer, size - heard.size()), 0);
      if (got <= 0) return heard + (got == 0 ? "END" : "RESET");
      heard.append(buffer, static_cast<std::size_t>(got));
      ++pieces_;
    }
    return heard;
  }

  std::string ask(const std::string& text) {
    say(text);
    return hear(text.size());
  }
  int pieces() const { return pieces_; }

 private:
  int socket_;
  int pieces_ = 0;
};

class Proxies : public ::testing::Test {
 protected:
  EchoServer server_;
  TcpProxy proxy_{server_.port()};
};

TEST_F(Proxies, pass_everything_and_count_it) {
  {
    Client client(proxy_.port());
    EXPECT_EQ(client.ask("hello"), "hello");
    EXPECT_EQ(client.ask(std::string(3'000'000, 'x')), std::string(3'000'000, 'x'));
    EXPECT_EQ(proxy_.counts().open, 1u);
  }
  Client other(proxy_.port());
  EXPECT_EQ(other.ask("!"), "!");
  const auto counts = proxy_.counts();
  EXPECT_EQ(counts.connections, 2u);
  EXPECT_EQ(counts.to_server, 3'000'006u);
  EXPECT_EQ(counts.to_client, 3'000'006u);
}

TEST_F(Proxies, count_the_turns_of_a_conversation) {
  Client client(proxy_.port());
  for (int i = 0; i < 5; ++i) client.ask("question");
  EXPECT_EQ(proxy_.counts().turns, 5u);
}

TEST_F(Proxies, delay_both_ways) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.delay(50ms);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.ask("hello"), "hello");
  const auto lasted = std::chrono::steady_clock::now() - start;
  EXPECT_GE(lasted, 100ms);
  EXPECT_LT(lasted, 2s);
}

TEST_F(Proxies, fall_silent_and_deliver_later) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.fall_silent();
  client.say("hello");
  Client newcomer(proxy_.port());
  newcomer.say("me too");
  EXPECT_EQ(client.hear(5, 100ms), "");
  EXPECT_EQ(newcomer.hear(5, 100ms), "");
  proxy_.pass();
  EXPECT_EQ(client.hear(5), "hello");
}

TEST_F(Proxies, fall_silent_in_the_middle) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.fall_silent_after(Direction::to_client, 3);
  client.say("hello");
  EXPECT_EQ(client.hear(5, 100ms), "hel");
  EXPECT_EQ(client.hear(5, 100ms), "");
  proxy_.pass();
  EXPECT_EQ(client.hear(2), "lo");
}

TEST_F(Proxies, do_not_fall_silent_after_all_passes_again) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.delay(200ms);
  proxy_.fall_silent_after(Direction::to_server, 3);
  client.say("hello");
  while (proxy_.counts().to_server < 14) std::this_thread::sleep_for(1ms);
  proxy_.pass();
  EXPECT_EQ(client.hear(5), "hello");
}

TEST_F(Proxies, forget_open_connections_only) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.forget();
  client.say("hello");
  proxy_.pass();
  EXPECT_EQ(client.hear(5, 100ms), "");
}

TEST_F(Proxies, cut_open_connections_once) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.cut();
  EXPECT_EQ(client.hear(1), "RESET");
  EXPECT_EQ(proxy_.counts().open, 0u);
  EXPECT_EQ(Client(proxy_.port()).ask("again"), "again");
}

TEST_F(Proxies, cut_after_so_many_bytes) {
  proxy_.cut_after(Direction::to_client, 3);
  Client client(proxy_.port());
  client.say("hello");
  EXPECT_EQ(client.hear(10), "helRESET");
  EXPECT_EQ(Client(proxy_.port()).ask("again"), "again");
}

TEST_F(Proxies, refuse_new_connections_only) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.refuse();
  EXPECT_EQ(Client(proxy_.port()).hear(1), "RESET");
  EXPECT_EQ(client.ask("still"), "still");
}

TEST_F(Proxies, corrupt_one_byte) {
  Client client(proxy_.port());
  proxy_.corrupt_after(Direction::to_server, 1);
  EXPECT_EQ(client.ask("abc"), std::string("a") + static_cast<char>(~'b') + "c");
  EXPECT_EQ(client.ask("abc"), "abc");
}

TEST_F(Proxies, split_into_single_bytes) {
  Client client(proxy_.port());
  proxy_.split();
  // A reader that the machine keeps waiting finds several pieces joined.
  int answers = 0;
  while (answers < 50 && client.pieces() < answers + 3) {
    EXPECT_EQ(client.ask("hello, hello, hello"), "hello, hello, hello");
    ++answers;
  }
  EXPECT_GE(client.pieces(), answers + 3);
}

TEST_F(Proxies, throttle) {
  Client client(proxy_.port());
  client.ask("connected");
  proxy_.throttle(10'000);
  const auto start = std::chrono::steady_clock::now();
  client.ask(std::string(2'000, 'x'));
  const auto lasted = std::chrono::steady_clock::now() - start;
  EXPECT_GE(lasted, 180ms);
  EXPECT_LT(lasted, 3s);
}

TEST_F(Proxies, reset_clients_when_the_server_is_gone) {
  std::uint16_t port = 0;
  { port = EchoServer().port(); }
  const TcpProxy nobody(port);
  EXPECT_EQ(Client(nobody.port()).hear(1), "RESET");
}

TEST(ProxyOfPostgres, stands_in_front_of_the_server) {
  auto& server = PostgresServer::shared();
  TcpProxy proxy(server.port());
  RawDatabase database(proxy.in_front_of(server.url()));
  const auto before = proxy.counts().turns;
  EXPECT_EQ(database.value("SELECT 1"), "1");
  EXPECT_EQ(proxy.counts().turns, before + 1);
  proxy.cut();
  EXPECT_THROW(database.value("SELECT 1"), std::runtime_error);
}

}  // namespace
}  // namespace threadkeep::postgres_test
