// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <new>
#include <thread>

#include "layers/forwarding_backend.hpp"
#include "layers/metrics_layer.hpp"
#include "metric_values.hpp"
#include "threadkeep/checkpointer.hpp"
#include "threadkeep/prometheus.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::testing {
namespace {

// Between the layer and the store: one call of reads fails as it is told.
class Failing final : public ForwardingBackend {
 public:
  Failing(std::unique_ptr<Backend> inner, std::function<void()> fail)
      : ForwardingBackend(std::move(inner)), fail_(std::move(fail)) {}
  Page<ThreadInfo> threads(const ThreadList&, const Call&) override {
    fail_();
    return {};
  }
  Health ping(const Call&) override { return {false, "out of order"}; }

 private:
  std::function<void()> fail_;
};

class MetricsLayer : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> counted() {
    return around_with_metrics(
        Registry::builtin().open("sqlite:" + (directory_.path() / "store.db").string()), "primary",
        metrics_);
  }
  double calls(const std::string& operation, const std::string& outcome) const {
    return value_of(*metrics_, "threadkeep_operations_total",
                    {{"operation", operation},
                     {"backend", "sqlite"},
                     {"role", "primary"},
                     {"outcome", outcome}});
  }
  double times(const std::string& operation) const {
    return value_of(*metrics_, "threadkeep_operation_seconds",
                    {{"operation", operation}, {"backend", "sqlite"}, {"role", "primary"}});
  }
  std::size_t series() const {
    std::size_t count = 0;
    for (const auto& family : metrics_->snapshot()) count += family.samples.size();
    return count;
  }

  TemporaryDirectory directory_;
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
};

TEST_F(MetricsLayer, counts_what_happened_and_nothing_else) {
  Checkpointer store(std::make_shared<Store>(counted()));
  EXPECT_EQ(series(), 0U);
  store.put(Draft("t", "1"));
  store.put(Draft("t", "2").parent("1"));
  EXPECT_TRUE(store.get({"t", "", {}, {}}));
  EXPECT_EQ(calls("put", "ok"), 2);
  EXPECT_EQ(calls("get", "ok"), 1);
  EXPECT_EQ(times("put"), 2);
  EXPECT_EQ(times("get"), 1);
  EXPECT_EQ(series(), 4U);
  EXPECT_GT(sample_of(*metrics_, "threadkeep_operation_seconds",
                      {{"operation", "put"}, {"backend", "sqlite"}, {"role", "primary"}})
                ->histogram.sum,
            0);
}

TEST_F(MetricsLayer, counts_each_mutation_of_a_batch_by_its_own_end) {
  const auto backend = counted();
  const std::vector<Mutation> batch{Draft("t", "1"), Draft("t", "2").parent("1"),
                                    Draft("t", "3").parent("1").require_latest_parent(),
                                    DeleteThread{"other"}};
  const auto outcomes = backend->apply(batch, {});
  ASSERT_TRUE(outcomes[2].error);
  EXPECT_EQ(calls("put", "ok"), 2);
  EXPECT_EQ(calls("put", "conflict"), 1);
  EXPECT_EQ(calls("delete_thread", "ok"), 1);
  EXPECT_EQ(times("put"), 3);
}

TEST_F(MetricsLayer, counts_a_batch_that_failed_as_a_whole) {
  const auto backend = counted();
  const std::vector<Mutation> batch{Draft("t", "1"), DeleteThread{"t"}};
  EXPECT_THROW(backend->apply(batch, {Deadline(Deadline::Clock::now()), {}}), Error);
  EXPECT_EQ(calls("put", "timeout"), 1);
  EXPECT_EQ(calls("delete_thread", "timeout"), 1);
  EXPECT_EQ(calls("put", "ok"), -1);
}

TEST_F(MetricsLayer, counts_errors_by_their_code) {
  std::function<void()> fail;
  const auto backend =
      around_with_metrics(std::make_unique<Failing>(counted(), [&] { fail(); }), "other", metrics_);
  const auto outcome = [&](const std::string& operation, const std::string& name) {
    return value_of(
        *metrics_, "threadkeep_operations_total",
        {{"operation", operation}, {"backend", "sqlite"}, {"role", "other"}, {"outcome", name}});
  };
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code) {
    fail = [code] { throw Error(static_cast<Code>(code), "on purpose"); };
    EXPECT_THROW(backend->threads({}, {}), Error);
    EXPECT_GE(outcome("threads", std::string(to_string(static_cast<Code>(code)))), 1) << code;
  }
  fail = [] { throw std::bad_alloc(); };
  EXPECT_THROW(backend->threads({}, {}), std::bad_alloc);
  EXPECT_EQ(outcome("threads", "unavailable"), 2);
  EXPECT_FALSE(backend->ping({}).ok);
  EXPECT_EQ(outcome("ping", "unavailable"), 1);
  EXPECT_EQ(calls("ping", "ok"), -1);
}

TEST_F(MetricsLayer, counts_every_call_of_a_backend_under_its_name) {
  const auto backend = counted();
  const auto scope = StateScope::of_thread("t");
  MessageList stream;
  stream.thread_id = "t";
  StateList documents;
  documents.scope = scope;
  backend->setup({});
  backend->ping({});
  backend->examine({});
  backend->stats({}, {});
  EXPECT_THROW(backend->head({"t", "", {}, {}}, {}), Error);
  backend->list({}, {});
  backend->history({"t", "", {}, {}}, {});
  backend->threads({}, {});
  backend->thread({"t"}, {});
  backend->loose_writes({}, {});
  backend->messages(stream, {});
  backend->message({"t", "m"}, {});
  backend->count_messages(stream, {});
  backend->state({scope, "k"}, {});
  backend->states(documents, {});
  backend->streams({"t"}, {});
  for (const char* name :
       {"setup", "ping", "examine", "stats", "list", "history", "threads", "thread", "loose_writes",
        "messages", "message", "count_messages", "state", "states", "streams"}) {
    EXPECT_EQ(calls(name, "ok"), 1) << name;
    EXPECT_EQ(times(name), 1) << name;
  }
  EXPECT_EQ(calls("head", "unsupported"), 1);
}

// The first calls of an operation race to make its cell.
TEST_F(MetricsLayer, counts_calls_of_many_threads) {
  const auto backend = counted();
  backend->setup({});
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) backend->get({"t", "", {}, {}}, {});
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(calls("get", "ok"), 400);
  EXPECT_EQ(times("get"), 400);
}

TEST_F(MetricsLayer, tells_no_secret) {
  const std::string secret = "canary-6b1f";
  for (const std::string& url :
       {"postgresql://u:" + secret + "@127.0.0.1:1/d", "redis://:" + secret + "@127.0.0.1:1"}) {
    const auto backend = around_with_metrics(Registry::builtin().open(url), "primary", metrics_);
    EXPECT_THROW(backend->get({"t", "", {}, {}}, {}), Error);
    EXPECT_FALSE(backend->ping({}).ok);
  }
  const std::string text = prometheus_text(metrics_->snapshot());
  EXPECT_NE(text.find("outcome=\"unavailable\""), std::string::npos);
  EXPECT_EQ(text.find(secret), std::string::npos);
}

}  // namespace
}  // namespace threadkeep::testing
