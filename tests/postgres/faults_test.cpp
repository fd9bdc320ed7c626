// SPDX-License-Identifier: Apache-2.0
// Every operation, with a network between it and the server that fails at every stage. It ends in
// time and with an error of a kind that is true; afterwards the store works without being opened
// again. What is true is looked up in the database.
#include <gtest/gtest.h>

#include <random>

#include "asynchronous_backend.hpp"
#include "operations.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::TcpProxy;
using Direction = TcpProxy::Direction;

constexpr auto short_time = 150ms;
constexpr auto slack = 2000ms;  // for a machine that is busy; a call that hangs takes far longer

struct Position {
  Direction direction;
  std::size_t bytes;
};

std::string to_text(const Position& position) {
  return std::to_string(position.bytes) +
         (position.direction == Direction::to_server ? " bytes to the server" : " bytes from it");
}

bool says_nothing_was_done(const Error& error) {
  return error.code() == Code::timeout || error.code() == Code::unavailable;
}

class Faults : public ::testing::TestWithParam<Operation> {
 protected:
  Faults() {
    direct_->setup(Call());
    prepare_for_reads(*direct_);
    open();
    prepare_next();
    before_ = states();
    const auto undisturbed = operation().carry_out(*direct_, id_, Call());
    EXPECT_TRUE(undisturbed.succeeded()) << undisturbed.errors.at(0)->what();
    text_ = undisturbed.text;
    after_ = states();
  }

  const Operation& operation() const { return GetParam(); }

  virtual void open() {
    proxied_ = open_backend(proxy_.in_front_of(schema_.url()) +
                            "&pool_size=1&application_name=" + schema_.name());
  }

  void prepare_next() {
    id_ = padded(++rounds_);
    prepare(*direct_, operation(), id_);
  }

  std::vector<std::string> states() {
    std::vector<std::string> states;
    const auto count = operation().writes() ? operation().batch(id_).size() : 0;
    for (std::size_t i = 0; i < count; ++i) states.push_back(state_of(raw_, thread_of(id_, i)));
    return states;
  }

  // The store can be reached and has a connection.
  void expect_working() { EXPECT_NO_THROW(proxied_->get({"read", "", {}, {}}, within(10s))); }

  TcpProxy::Counts bytes_of_one_call() {
    prepare_next();
    expect_working();
    const auto before = proxy_.counts();
    EXPECT_TRUE(operation().carry_out(*proxied_, id_, within(10s)).succeeded());
    const auto after = proxy_.counts();
    open();  // The next call prepares its statements again.
    return {0, 0, after.to_server - before.to_server, after.to_client - before.to_client, 0};
  }

  // Moments in one call: nothing, something, and all but one byte has gone, and all.
  std::vector<Position> moments() {
    const auto bytes = bytes_of_one_call();
    EXPECT_GT(bytes.to_server, 4u);
    EXPECT_GT(bytes.to_client, 4u);
    std::vector<Position> moments;
    for (const auto to : {std::size_t{0}, bytes.to_server / 3, bytes.to_server * 2 / 3,
                          bytes.to_server - 1, bytes.to_server}) {
      moments.push_back({Direction::to_server, to});
    }
    for (const auto to : {bytes.to_client / 2, bytes.to_client - 1}) {
      moments.push_back({Direction::to_client, to});
    }
    return moments;
  }

  // Though the network fell silent: a setup ends by saying goodbye, which nobody answers.
  virtual bool may_succeed() const { return operation().name == "setup"; }

  // The store has no connection that works: one call has lost it.
  virtual void let_go() {}

  // Until the server has done all that it will do for connections that were given up.
  void await_quiet() {
    const auto sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + schema_.name() + "'";
    EXPECT_TRUE(comes_true([&] { return raw_.value(sessions) == "0"; }))
        << "a connection that was given up is still open";
  }

  void expect_true(const Ended& ended) {
    if (!operation().writes()) {
      if (ended.succeeded()) {
        EXPECT_EQ(ended.text, text_);
      } else {
        EXPECT_TRUE(says_nothing_was_done(*ended.errors.at(0))) << ended.errors.at(0)->what();
      }
      return;
    }
    if (!ended.succeeded()) {
      let_go();
      await_quiet();
    }
    const auto now = states();
    ASSERT_EQ(now.size(), ended.errors.size());
    for (std::size_t i = 0; i < now.size(); ++i) expect_true(ended.errors[i], i, now[i]);
  }

  void expect_true(const std::optional<Error>& error, std::size_t place, const std::string& now) {
    if (!error) {
      EXPECT_EQ(now, after_.at(place));
    } else if (says_nothing_was_done(*error)) {
      EXPECT_EQ(now, before_.at(place)) << error->what();
    } else {
      EXPECT_EQ(error->code(), Code::outcome_unknown) << error->what();
      EXPECT_TRUE(now == before_.at(place) || now == after_.at(place)) << now;
    }
  }

  void silence() {
    for (const auto& moment : moments()) {
      SCOPED_TRACE(to_text(moment));
      prepare_next();
      expect_working();
      proxy_.fall_silent_after(moment.direction, moment.bytes);
      const auto ended = operation().carry_out(*proxied_, id_, within(short_time));
      EXPECT_LT(ended.lasted, short_time + slack);
      EXPECT_TRUE(!ended.succeeded() || may_succeed()) << "the answer cannot have come";
      proxy_.pass();
      expect_true(ended);
    }
    expect_working();
  }

  void cut() {
    for (const auto& moment : moments()) {
      SCOPED_TRACE(to_text(moment));
      prepare_next();
      expect_working();
      proxy_.cut_after(moment.direction, moment.bytes);
      const auto ended = operation().carry_out(*proxied_, id_, within(20s));
      EXPECT_LT(ended.lasted, slack);
      proxy_.pass();
      expect_true(ended);
    }
    expect_working();
  }

  Schema schema_;
  TcpProxy proxy_{testing::PostgresServer::shared().port()};
  std::unique_ptr<Backend> direct_ = open_backend(schema_.url());
  std::unique_ptr<Backend> proxied_;
  RawDatabase raw_{schema_.url()};
  int rounds_ = 0;
  std::string id_;
  std::string text_;
  std::vector<std::string> before_;
  std::vector<std::string> after_;
};

TEST_P(Faults, silence_ends_a_call_at_its_deadline) {
  silence();
}

TEST_P(Faults, a_cut_connection_ends_a_call_at_once) {
  cut();
}

TEST_P(Faults, bytes_that_come_one_by_one_make_no_difference) {
  prepare_next();
  proxy_.split();
  const auto ended = operation().carry_out(*proxied_, id_, within(20s));
  ASSERT_TRUE(ended.succeeded()) << ended.errors.at(0)->what();
  expect_true(ended);
}

TEST_P(Faults, a_slow_network_makes_no_difference) {
  prepare_next();
  proxy_.delay(20ms);
  const auto ended = operation().carry_out(*proxied_, id_, within(20s));
  ASSERT_TRUE(ended.succeeded()) << ended.errors.at(0)->what();
  expect_true(ended);
}

// What is stored then is not looked at: TCP has its own checksums for that.
TEST_P(Faults, a_corrupted_byte_does_no_worse_than_an_error) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto bytes = bytes_of_one_call();
  for (int i = 0; i < 16; ++i) {
    const auto direction = i % 2 == 0 ? Direction::to_server : Direction::to_client;
    const auto size = direction == Direction::to_server ? bytes.to_server : bytes.to_client;
    const Position moment{direction, random() % size};
    SCOPED_TRACE(to_text(moment));
    prepare_next();
    expect_working();
    proxy_.corrupt_after(moment.direction, moment.bytes);
    const auto ended = operation().carry_out(*proxied_, id_, within(short_time));
    EXPECT_LT(ended.lasted, short_time + slack);
    proxy_.pass();
  }
  expect_working();
}

INSTANTIATE_TEST_SUITE_P(, Faults, ::testing::ValuesIn(operations()),
                         [](const auto& test) { return test.param.name; });

// As above, for calls that are submitted.
class AsynchronousFaults : public Faults {
 protected:
  AsynchronousFaults() { open(); }
  void open() override {
    Faults::open();
    proxied_ = std::make_unique<testing::AsynchronousBackend>(std::move(proxied_));
  }
  // How several calls share round trips is another each time, and with it the number of bytes.
  bool may_succeed() const override { return Faults::may_succeed() || operation().name == "batch"; }
  // Of several calls the later ones may have made a new connection.
  void let_go() override {
    expect_working();
    open();
  }
};

TEST_P(AsynchronousFaults, silence_ends_a_call_at_its_deadline) {
  silence();
}

TEST_P(AsynchronousFaults, a_cut_connection_ends_a_call_at_once) {
  cut();
}

INSTANTIATE_TEST_SUITE_P(, AsynchronousFaults, ::testing::ValuesIn(operations()),
                         [](const auto& test) { return test.param.name; });

class FaultsWhileConnecting : public ::testing::Test {
 protected:
  FaultsWhileConnecting() {
    open_backend(schema_.url())->setup(Call());
    const auto backend = open_backend(url_);
    backend->ping(Call());
    const auto twice = proxy_.counts();  // it looked for itself when it had looked as a first use
    backend->ping(Call());
    const auto thrice = proxy_.counts();
    const auto to_server = 2 * twice.to_server - thrice.to_server;
    const auto to_client = 2 * twice.to_client - thrice.to_client;
    for (const auto part : {0, 1, 2, 3, 4}) {
      moments_.push_back({Direction::to_server, to_server * part / 5});
      moments_.push_back({Direction::to_client, to_client * part / 5});
    }
  }

  // The goodbye of another connection must not count as bytes of the next one.
  void await_no_connection() {
    EXPECT_TRUE(comes_true([&] { return proxy_.counts().open == 0; }));
  }

  Schema schema_;
  TcpProxy proxy_{testing::PostgresServer::shared().port()};
  const std::string url_ = proxy_.in_front_of(schema_.url());
  std::vector<Position> moments_;
};

TEST_F(FaultsWhileConnecting, silence_is_a_timeout) {
  for (const auto& moment : moments_) {
    SCOPED_TRACE(to_text(moment));
    await_no_connection();
    const auto backend = open_backend(url_);
    proxy_.fall_silent_after(moment.direction, moment.bytes);
    Error error(Code::internal, "");
    const auto lasted = duration_of(
        [&] { error = must_fail([&] { apply(*backend, Draft("t", "1"), within(short_time)); }); });
    EXPECT_LT(lasted, short_time + slack);
    EXPECT_EQ(error.code(), Code::timeout) << error.what();
    proxy_.pass();
    EXPECT_NO_THROW(backend->get({"t", "", {}, {}}, within(10s)));
  }
}

TEST_F(FaultsWhileConnecting, a_cut_is_an_outage) {
  for (const auto& moment : moments_) {
    SCOPED_TRACE(to_text(moment));
    await_no_connection();
    const auto backend = open_backend(url_);
    proxy_.cut_after(moment.direction, moment.bytes);
    Error error(Code::internal, "");
    const auto lasted = duration_of(
        [&] { error = must_fail([&] { apply(*backend, Draft("t", "1"), within(20s)); }); });
    EXPECT_LT(lasted, slack);
    EXPECT_EQ(error.code(), Code::unavailable) << error.what();
    EXPECT_TRUE(error.retry_safe());
    proxy_.pass();
    EXPECT_NO_THROW(backend->get({"t", "", {}, {}}, within(10s)));
  }
}

TEST_F(FaultsWhileConnecting, a_refused_connection_is_an_outage) {
  const auto backend = open_backend(url_);
  proxy_.refuse();
  EXPECT_EQ(must_fail([&] {
              backend->get({"t", "", {}, {}}, within(20s));
            }).code(),
            Code::unavailable);
  EXPECT_FALSE(backend->ping(within(20s)).ok);
  proxy_.pass();
  EXPECT_TRUE(backend->ping(within(20s)).ok);
}

}  // namespace
}  // namespace threadkeep::postgres_test
