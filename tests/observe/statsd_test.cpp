// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/statsd.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <regex>

#include "metrics/statsd_packets.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::testing {
namespace {

using namespace std::chrono_literals;
using Labels = StatsdOptions::Labels;
using Strings = std::vector<std::string>;

// What a StatsD server makes of packets: sums of counters, the last of each gauge, how many timings
// of each length.
class Server {
 public:
  void take(const std::string& packet) {
    std::istringstream lines(packet);
    for (std::string line; std::getline(lines, line);) take_line(line);
  }

  std::map<std::string, double> counters;
  std::map<std::string, double> gauges;
  std::map<std::string, std::map<double, std::uint64_t>> timings;

 private:
  void take_line(const std::string& line) {
    static const std::regex form(
        R"(([^:|@#\n]+):(-?[0-9.e+-]+)\|(c|g|ms)(?:\|@([0-9.]+))?(\|#.+)?)");
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(line, parts, form)) << line;
    const std::string name = parts[1].str() + parts[5].str();
    const double value = std::stod(parts[2]);
    const double rate = parts[4].matched ? std::stod(parts[4]) : 1;
    if (parts[3] == "c") counters[name] += value;
    if (parts[3] == "ms") timings[name][value] += static_cast<std::uint64_t>(1 / rate);
    if (parts[3] == "g") {
      const bool change = parts[2].str().front() == '-';
      gauges[name] = change ? gauges[name] + value : value;
    }
  }
};

TEST(StatsdPackets, say_how_much_counters_grew) {
  Metrics metrics;
  StatsdPackets packets(Labels::in_name);
  auto& counter = metrics.counter("c_total", "", {{"backend", "sqlite"}, {"outcome", "ok"}});
  EXPECT_EQ(packets.of(metrics.snapshot()), Strings());
  counter.add(3);
  EXPECT_EQ(packets.of(metrics.snapshot()), Strings{"c_total.sqlite.ok:3|c"});
  EXPECT_EQ(packets.of(metrics.snapshot()), Strings());
  counter.add(4);
  EXPECT_EQ(packets.of(metrics.snapshot()), Strings{"c_total.sqlite.ok:4|c"});
}

TEST(StatsdPackets, say_gauges_as_they_are_and_never_as_changes) {
  Metrics metrics;
  StatsdPackets packets(Labels::in_name);
  auto& gauge = metrics.gauge("g", "");
  Server server;
  for (const std::int64_t value : {5, 5, -2, -3, 0}) {
    gauge.set(value);
    for (const auto& packet : packets.of(metrics.snapshot())) server.take(packet);
    EXPECT_EQ(server.gauges["g"], static_cast<double>(value));
  }
}

TEST(StatsdPackets, say_times_as_the_limits_of_their_buckets) {
  Metrics metrics;
  StatsdPackets packets(Labels::in_name);
  auto& times = metrics.histogram("t_seconds", "", {{"operation", "put"}});
  times.observe(3ms);
  EXPECT_EQ(packets.of(metrics.snapshot()), Strings{"t_ms.put:5|ms"});
  // Every number of observations comes out of 1/rate again.
  for (std::uint64_t count = 1; count <= 1'000; ++count) {
    for (std::uint64_t i = 0; i < count; ++i) times.observe(count % 2 == 0 ? 200us : 99s);
    Server server;
    for (const auto& packet : packets.of(metrics.snapshot())) server.take(packet);
    const double expected = count % 2 == 0 ? 0.25 : 30'000;
    ASSERT_EQ(server.timings["t_ms.put"], (std::map<double, std::uint64_t>{{expected, count}}));
  }
}

TEST(StatsdPackets, put_labels_into_tags_when_asked) {
  Metrics metrics;
  metrics.counter("c", "", {{"backend", "sqlite"}, {"role", "primary"}}).add();
  metrics.histogram("t_seconds", "", {{"backend", "sqlite"}}).observe(1ms);
  EXPECT_EQ(StatsdPackets(Labels::as_tags).of(metrics.snapshot()),
            Strings{"c:1|c|#backend:sqlite,role:primary\nt_ms:1|ms|#backend:sqlite"});
}

TEST(StatsdPackets, keep_what_would_break_a_line_out_of_it) {
  Metrics metrics;
  metrics.counter("c", "", {{"l", "a:b|c@d#e,f.g\nh i"}}).add();
  EXPECT_EQ(StatsdPackets(Labels::in_name).of(metrics.snapshot()),
            Strings{"c.a_b_c_d_e_f_g_h_i:1|c"});
}

TEST(StatsdPackets, stay_below_their_size) {
  Metrics metrics;
  for (int i = 0; i < 500; ++i) {
    metrics.counter("some_name_total", "", {{"number", std::to_string(i)}}).add();
  }
  Server server;
  const auto packets = StatsdPackets(Labels::in_name).of(metrics.snapshot());
  for (const auto& packet : packets) {
    EXPECT_LE(packet.size(), StatsdPackets::max_bytes);
    server.take(packet);
  }
  EXPECT_GT(packets.size(), 5U);
  EXPECT_EQ(server.counters.size(), 500U);
}

class Receiver {
 public:
  Receiver() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Receiver() { ::close(socket_); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::string next() const {
    std::array<char, 65536> packet{};
    const auto size = ::recv(socket_, packet.data(), packet.size(), 0);
    EXPECT_GT(size, 0) << "no packet came";
    return {packet.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  const std::string& address() const { return address_; }

 private:
  int socket_;
  std::string address_;
};

TEST(StatsdReporter, sends_at_intervals_and_when_it_ends) {
  const Receiver receiver;
  const auto metrics = std::make_shared<Metrics>();
  auto& counter = metrics->counter("c_total", "");
  counter.add();
  Server server;
  {
    StatsdReporter reporter({.address = receiver.address(), .interval = 5ms}, metrics);
    server.take(receiver.next());
    EXPECT_EQ(server.counters["c_total"], 1);
    counter.add(2);
    server.take(receiver.next());
    EXPECT_EQ(server.counters["c_total"], 3);
  }
  {
    StatsdReporter reporter({.address = receiver.address(), .interval = 1h}, metrics);
    reporter.report();
    server.take(receiver.next());
    EXPECT_EQ(server.counters["c_total"], 6);  // another reporter begins from nothing
    counter.add(5);
  }
  server.take(receiver.next());
  EXPECT_EQ(server.counters["c_total"], 11);
}

TEST(StatsdReporter, goes_on_when_nobody_listens) {
  std::string address;
  {
    const Receiver gone;
    address = gone.address();
  }
  const auto metrics = std::make_shared<Metrics>();
  StatsdReporter reporter({.address = address, .interval = 1h}, metrics);
  for (int i = 0; i < 10; ++i) {
    metrics->counter("c", "").add();
    reporter.report();
  }
}

TEST(StatsdReporter, refuses_what_is_no_address) {
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:port", ":::", "no.such.host.invalid:1"}) {
    try {
      const StatsdReporter reporter({.address = address}, std::make_shared<Metrics>());
      FAIL() << "took " << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_NE(error.message().find(address), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace threadkeep::testing
