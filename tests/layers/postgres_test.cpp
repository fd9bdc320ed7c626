// SPDX-License-Identifier: Apache-2.0
// Layers in front of a real server, with a network between them that fails.
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <thread>

#include "layers/breaker.hpp"
#include "postgres_backends.hpp"
#include "threadkeep/layers.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;
using testing::Draft;
using testing::TcpProxy;
using Direction = TcpProxy::Direction;

// The events that are logged while it is there.
class Events {
 public:
  Events() {
    set_log_sink([this](const LogRecord& record) {
      const std::lock_guard lock(mutex_);
      if (record.event != "store_opened") events_.push_back(record.event);
    });
  }
  ~Events() { set_log_sink({}); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

class LayersOverPostgres : public ::testing::Test {
 protected:
  LayersOverPostgres() { direct_->setup(Call()); }
  ~LayersOverPostgres() override {
    store_.reset();
    direct_.reset();
    schemas_.give_back(schema_);
  }

  std::unique_ptr<Backend> behind_proxy() {
    return Registry::builtin().open(proxy_.in_front_of(schemas_.url(schema_)) + "&pool_size=1");
  }
  std::uint64_t counted(const std::string& name) {
    return metrics_->counter(name, "", labels_).value();
  }
  void open_with_retries() {
    store_ = Stack(behind_proxy())
                 .deadline({10s})
                 .breaker()
                 .retry({.first = 1ms})
                 .metrics("test", metrics_)
                 .build();
  }
  Outcome write(Mutation mutation) { return store_->apply({&mutation, 1}, Call()).at(0); }

  /// Writes number 1, 2 and 3 of some that are alike; the last byte of the answer to the third gets
  /// lost, when the server has committed it.
  Outcome lose_answer(const std::function<Mutation(int)>& number) {
    EXPECT_FALSE(write(number(1)).error) << "prepares its statements";
    const auto before = proxy_.counts().to_client;
    EXPECT_FALSE(write(number(2)).error);
    proxy_.cut_after(Direction::to_client, proxy_.counts().to_client - before - 1);
    const auto connections = proxy_.counts().connections;
    Outcome outcome = write(number(3));
    EXPECT_GT(proxy_.counts().connections, connections) << "nothing was lost";
    return outcome;
  }

  testing::PostgresSchemas& schemas_ = testing::bytewise_schemas();
  const std::string schema_ = schemas_.take();
  TcpProxy proxy_{testing::PostgresServer::shared().port()};
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  const MetricLabels labels_ = {{"backend", "postgres"}, {"role", "test"}};
  std::unique_ptr<Backend> direct_ = Registry::builtin().open(schemas_.url(schema_));
  std::unique_ptr<Backend> store_;
  const MessageList messages_ = [] {
    MessageList list;
    list.thread_id = "t";
    return list;
  }();
};

std::string place(int number) {
  return "c" + std::to_string(number);
}

TEST_F(LayersOverPostgres, resolve_a_put_whose_answer_got_lost) {
  open_with_retries();
  EXPECT_FALSE(write(static_cast<PutCheckpoint>(Draft("t", "c0").require_latest_parent())).error);
  const auto outcome = lose_answer([](int n) {
    return static_cast<PutCheckpoint>(Draft("t", place(n))
                                          .parent(place(n - 1))
                                          .value("x", place(n), "text")
                                          .require_latest_parent());
  });
  EXPECT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(counted("threadkeep_retries_total"), 1U);
  EXPECT_EQ(direct_->get({"t", "", {}, {}}, Call())->checkpoint_id, "c3");
}

TEST_F(LayersOverPostgres, resolve_an_append_whose_answer_got_lost) {
  open_with_retries();
  const auto outcome = lose_answer([](int n) {
    return AppendMessages{"t", "", {{place(n), "user", "\"hello\""}}, {}, "o" + place(n), n - 1};
  });
  EXPECT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.written.messages.at(0).seq, 3);
  EXPECT_EQ(counted("threadkeep_retries_total"), 1U);
  EXPECT_EQ(direct_->count_messages(messages_, Call()), 3U);
}

TEST_F(LayersOverPostgres, pop_once) {
  open_with_retries();
  AppendMessages five{"t", "", {}, {}, "", {}};
  for (int n = 1; n <= 5; ++n) five.messages.push_back({place(n), "user", "1"});
  EXPECT_FALSE(write(five).error);
  const auto outcome = lose_answer([](int n) { return PopMessages{"t", "", 1, "pop" + place(n)}; });
  EXPECT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.written.messages.at(0).id, "c3");
  EXPECT_EQ(counted("threadkeep_retries_total"), 1U);
  EXPECT_EQ(direct_->count_messages(messages_, Call()), 2U);
}

// It is there once. That it is not of another caller nobody can tell, and so says the error.
TEST_F(LayersOverPostgres, never_repeat_a_change_that_may_be_done) {
  open_with_retries();
  const auto outcome = lose_answer([](int n) {
    return ChangeState{StateScope::of_thread("t"),
                       {{"k", StateChange::Kind::put, std::to_string(n), n - 1}}};
  });
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::outcome_unknown) << outcome.error->what();
  EXPECT_NE(outcome.error->message().find("read before"), std::string::npos);
  const auto document = direct_->state({StateScope::of_thread("t"), "k"}, Call());
  EXPECT_EQ(document->value, "3");
  EXPECT_EQ(document->version, 3);
}

TEST_F(LayersOverPostgres, repeat_a_change_that_did_not_arrive) {
  open_with_retries();
  const auto change = [](int n) {
    return ChangeState{StateScope::of_thread("t"),
                       {{"k", StateChange::Kind::put, std::to_string(n), n - 1}}};
  };
  EXPECT_FALSE(write(change(1)).error);
  proxy_.cut_after(Direction::to_server, 40);  // within the statement
  const auto outcome = write(change(2));
  EXPECT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(counted("threadkeep_retries_total"), 1U);
  EXPECT_EQ(direct_->state({StateScope::of_thread("t"), "k"}, Call())->version, 2);
}

TEST_F(LayersOverPostgres, read_again_after_a_cut) {
  open_with_retries();
  EXPECT_FALSE(store_->get({"t", "", {}, {}}, Call()));
  proxy_.cut_after(Direction::to_client, 1);
  EXPECT_FALSE(store_->get({"t", "", {}, {}}, Call()));
  EXPECT_EQ(counted("threadkeep_retries_total"), 1U);
}

TEST_F(LayersOverPostgres, end_a_try_long_before_the_call) {
  auto connected = behind_proxy();
  EXPECT_FALSE(connected->get({"t", "", {}, {}}, Call()));
  store_ = Stack(std::move(connected)).deadline({100ms}).build();
  proxy_.fall_silent();
  const Call call{Deadline::after(std::chrono::hours(1)), {}};
  try {
    store_->get({"t", "", {}, {}}, call);
    ADD_FAILURE() << "there was an answer";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::timeout);
  }
  const Mutation put = PutThread{"t", "{}"};
  EXPECT_THROW(store_->apply({&put, 1}, call), Error) << "a connection cannot be made either";
}

TEST_F(LayersOverPostgres, leave_a_server_alone_that_cannot_be_reached) {
  Events events;
  store_ = Stack(behind_proxy())
               .breaker({.failures = 3, .open_for = 20ms, .longest = 20ms})
               .metrics("test", metrics_)
               .build();
  const Gauge& open = metrics_->gauge("threadkeep_breaker_open", "", labels_);
  const auto native = [&] {
    try {
      store_->get({"t", "", {}, {}}, Call());
      return std::string("answered");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unavailable) << error.what();
      return error.native();
    }
  };
  EXPECT_EQ(native(), "answered");
  proxy_.cut();
  proxy_.refuse();
  int calls = 0;
  const Deadline last = Deadline::after(60s);
  while (native() != breaker_open && !last.passed()) ++calls;
  EXPECT_GE(calls, 3);
  EXPECT_EQ(open.value(), 1);
  EXPECT_GE(counted("threadkeep_breaker_refused_total"), 1U);
  EXPECT_EQ(counted("threadkeep_breaker_opened_total"), 1U);
  const Health down = store_->ping(Call());
  EXPECT_FALSE(down.ok);
  EXPECT_TRUE(down.degraded);

  proxy_.pass();
  while (native() != "answered" && !last.passed()) std::this_thread::yield();
  EXPECT_EQ(open.value(), 0);
  EXPECT_FALSE(store_->ping(Call()).degraded);
  EXPECT_EQ(events.all(), (std::vector<std::string>{"breaker_opened", "breaker_closed"}));
}

TEST_F(LayersOverPostgres, call_a_server_at_once_that_answered_a_ping) {
  store_ = Stack(behind_proxy()).breaker({.failures = 1, .open_for = 1h, .longest = 1h}).build();
  proxy_.refuse();
  EXPECT_THROW(store_->get({"t", "", {}, {}}, Call()), Error);
  proxy_.pass();
  EXPECT_THROW(store_->get({"t", "", {}, {}}, Call()), Error) << "open for an hour";
  EXPECT_TRUE(store_->ping(Call()).ok);
  EXPECT_FALSE(store_->get({"t", "", {}, {}}, Call()));
}

// Else a load balancer that sends nothing to what is degraded would never send anything again.
TEST_F(LayersOverPostgres, are_healthy_again_by_pings_where_nobody_calls) {
  Events events;
  store_ = Stack(behind_proxy())
               .breaker({.failures = 1, .open_for = 20ms, .longest = 1h})
               .metrics("test", metrics_)
               .build();
  proxy_.refuse();
  EXPECT_THROW(store_->get({"t", "", {}, {}}, Call()), Error);
  proxy_.pass();
  const Health half_open = store_->ping(Call());
  EXPECT_TRUE(half_open.ok && half_open.degraded);
  EXPECT_NE(half_open.detail.find("half-open"), std::string::npos) << half_open.detail;
  const Deadline last = Deadline::after(60s);
  while (store_->ping(Call()).degraded && !last.passed()) std::this_thread::yield();
  EXPECT_FALSE(last.passed());
  EXPECT_EQ(metrics_->gauge("threadkeep_breaker_open", "", labels_).value(), 0);
  EXPECT_EQ(events.all(), (std::vector<std::string>{"breaker_opened", "breaker_closed"}));
}

TEST_F(LayersOverPostgres, count_an_open_breaker_no_more_when_its_store_is_closed) {
  store_ = Stack(behind_proxy()).breaker({.failures = 1}).metrics("test", metrics_).build();
  const Gauge& open = metrics_->gauge("threadkeep_breaker_open", "", labels_);
  proxy_.refuse();
  EXPECT_THROW(store_->get({"t", "", {}, {}}, Call()), Error);
  EXPECT_EQ(open.value(), 1);
  store_.reset();
  EXPECT_EQ(open.value(), 0);
}

}  // namespace
}  // namespace threadkeep
