// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include "backends_under_test.hpp"
#include "threadkeep/async.hpp"
#include "threadkeep/testing/draft.hpp"
#include "unit/recording_backend.hpp"

namespace threadkeep::testing {
namespace {

using Executor = asio::io_context::executor_type;
using asio::use_awaitable;

// An agent of three steps. Aggregates have names here: g++ 12 destroys temporaries of a co_await
// expression twice.
asio::awaitable<std::vector<std::string>> three_steps(AsyncCheckpointer<Executor>& checkpointer) {
  const Call call;
  for (const auto* id : {"1", "2", "3"}) {
    PutCheckpoint checkpoint = Draft("t", id).value("a", id, id);
    co_await checkpointer.put(std::move(checkpoint), call, use_awaitable);
    PutWrites writes{"t", "", id, {pending("task", 0, "a", id)}};
    co_await checkpointer.put_writes(std::move(writes), call, use_awaitable);
  }
  CheckpointList query;
  query.thread_id = "t";
  const auto page = co_await checkpointer.list(query, call, use_awaitable);
  std::vector<std::string> ids;
  for (const auto& item : page.items) ids.push_back(item.checkpoint_id);
  co_return ids;
}

asio::awaitable<Code> code_of_a_bad_put(AsyncCheckpointer<Executor>& checkpointer) {
  const Call call;
  PutCheckpoint bad = Draft("", "1");
  try {
    co_await checkpointer.put(std::move(bad), call, use_awaitable);
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return Code::internal;
}

class Coroutines : public ::testing::TestWithParam<BackendSpec> {
 protected:
  template <class Result>
  Result run(asio::awaitable<Result> coroutine) {
    auto future = asio::co_spawn(io_, std::move(coroutine), asio::use_future);
    io_.run();
    return future.get();
  }

  std::shared_ptr<Store> store_ = GetParam().make(Environment::system());
  asio::io_context io_;
  AsyncCheckpointer<Executor> checkpointer_{store_, io_.get_executor()};
};

INSTANTIATE_TEST_SUITE_P(, Coroutines, ::testing::ValuesIn(built_backends()),
                         [](const auto& test) { return test.param.name; });

TEST_P(Coroutines, await_every_operation) {
  EXPECT_EQ(run(three_steps(checkpointer_)), (std::vector<std::string>{"3", "2", "1"}));
}

TEST_P(Coroutines, catch_errors) {
  EXPECT_EQ(run(code_of_a_bad_put(checkpointer_)), Code::invalid_argument);
}

asio::awaitable<void> put_many(AsyncCheckpointer<Executor>& checkpointer, std::string thread_id) {
  const Call call;
  for (int i = 100; i < 150; ++i) {
    PutCheckpoint checkpoint = Draft(thread_id, std::to_string(i));
    co_await checkpointer.put(std::move(checkpoint), call, use_awaitable);
    CheckpointQuery query{thread_id, "", {}, {}};
    const auto found = co_await checkpointer.get(query, call, use_awaitable);
    EXPECT_TRUE(found && found->checkpoint_id == std::to_string(i));
  }
}

TEST_P(Coroutines, run_many_at_once) {
  std::vector<std::future<void>> agents;
  for (int i = 0; i < 20; ++i) {
    agents.push_back(
        asio::co_spawn(io_, put_many(checkpointer_, "t" + std::to_string(i)), asio::use_future));
  }
  io_.run();
  for (auto& agent : agents) EXPECT_NO_THROW(agent.get());
}

// The first of two awaitables to end cancels the other.
asio::awaitable<std::string> write_or_give_up(AsyncCheckpointer<Executor>& checkpointer) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(50));
  PutWrites writes{"t", "", "1", {pending("second", 0, "a", "x")}};
  const Call call;
  const auto first = co_await (checkpointer.put_writes(std::move(writes), call, use_awaitable) ||
                               timer.async_wait(use_awaitable));
  co_return first.index() == 0 ? "written" : "given up";
}

TEST(CoroutineCancellation, reaches_the_store) {
  auto recorder = std::make_shared<Recorder>();
  auto store = std::make_shared<Store>(std::make_unique<RecordingBackend>(recorder));
  asio::io_context io;
  AsyncCheckpointer<Executor> checkpointer(store, io.get_executor());
  recorder->hold();
  auto first = submit(*store, labelled("t", "first"));
  recorder->wait_until_inside(1);
  auto second = asio::co_spawn(io, write_or_give_up(checkpointer), asio::use_future);
  io.run();
  EXPECT_EQ(second.get(), "given up");
  recorder->release();
  EXPECT_EQ(ending(first), "ok");
  EXPECT_EQ(recorder->events(), std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace threadkeep::testing
