// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/async.hpp"

#include <gtest/gtest.h>

#include <asio/bind_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "backends_under_test.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::testing {
namespace {

using Executor = asio::io_context::executor_type;

PutCheckpoint checkpoint(const std::string& thread_id, int number) {
  const auto id = std::to_string(100'000 + number);
  return Draft(thread_id, id).value("a", id, "value " + id);
}

CheckpointQuery latest(const std::string& thread_id) {
  return {thread_id, "", {}, {}};
}

class Async : public ::testing::TestWithParam<BackendSpec> {
 protected:
  std::shared_ptr<Store> store_ = GetParam().make(Environment::system());
  asio::io_context io_;
  AsyncCheckpointer<Executor> checkpointer_{store_, io_.get_executor()};
};

INSTANTIATE_TEST_SUITE_P(, Async, ::testing::ValuesIn(built_backends()),
                         [](const auto& test) { return test.param.name; });

TEST_P(Async, takes_a_callback) {
  int done = 0;
  checkpointer_.put(checkpoint("t", 1), Call{}, [&](std::exception_ptr error, Written written) {
    EXPECT_FALSE(error);
    EXPECT_EQ(written.changed, 2U);
    ++done;
    checkpointer_.get(latest("t"), Call{},
                      [&](std::exception_ptr failure, std::optional<CheckpointTuple> found) {
                        EXPECT_FALSE(failure);
                        ASSERT_TRUE(found);
                        EXPECT_EQ(found->checkpoint_id, "100001");
                        ++done;
                      });
  });
  EXPECT_EQ(done, 0) << "a handler never runs inside the function that was called";
  io_.run();
  EXPECT_EQ(done, 2);
}

TEST_P(Async, takes_futures) {
  auto put = checkpointer_.put(checkpoint("t", 1), Call{}, asio::use_future);
  auto found = checkpointer_.get(latest("t"), Call{}, asio::use_future);
  auto refused = checkpointer_.delete_thread("", Call{}, asio::use_future);
  io_.run();
  EXPECT_EQ(put.get().changed, 2U);
  EXPECT_TRUE(found.get());
  try {
    refused.get();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_EQ(error.operation(), "delete_thread");
  }
}

TEST_P(Async, takes_handlers_that_can_only_be_moved) {
  auto flag = std::make_unique<int>(7);
  int seen = 0;
  checkpointer_.threads(
      {}, Call{},
      [flag = std::move(flag), &seen](std::exception_ptr, Page<ThreadInfo>) { seen = *flag; });
  io_.run();
  EXPECT_EQ(seen, 7);
}

// io_context::run returns when there is no work left: a call under way is work.
TEST_P(Async, keeps_the_loop_alive_until_all_calls_have_ended) {
  std::atomic<int> done = 0;
  for (int i = 0; i < 50; ++i) {
    checkpointer_.put(checkpoint("t", i), Call{}, [&](std::exception_ptr, Written) { ++done; });
  }
  io_.run();
  EXPECT_EQ(done, 50);
}

TEST_P(Async, keeps_the_store_alive_until_all_calls_have_ended) {
  std::vector<std::future<Written>> writes;
  std::future<std::optional<CheckpointTuple>> found;
  {
    AsyncCheckpointer<Executor> last(GetParam().make(Environment::system()), io_.get_executor());
    for (int i = 0; i < 100; ++i) {
      writes.push_back(last.put(checkpoint("t", i), Call{}, asio::use_future));
    }
    found = last.get(latest("t"), Call{}, asio::use_future);
  }
  io_.run();
  for (auto& write : writes) EXPECT_NO_THROW(write.get());
  EXPECT_TRUE(found.get());
}

// So the one who waits for the handler may close the store, or end the program.
TEST_P(Async, lets_go_of_the_store_before_the_handler_runs) {
  const auto before = store_.use_count();
  long inside = 0;
  checkpointer_.get(latest("t"), Call{},
                    [&](std::exception_ptr, const std::optional<CheckpointTuple>&) {
                      inside = store_.use_count();
                    });
  io_.run();
  EXPECT_EQ(inside, before);
}

TEST_P(Async, runs_handlers_on_their_own_executor) {
  asio::thread_pool pool(1);
  std::promise<std::thread::id> pool_thread;
  asio::post(pool, [&] { pool_thread.set_value(std::this_thread::get_id()); });
  std::promise<std::thread::id> handler_thread;
  checkpointer_.put(checkpoint("t", 1), Call{},
                    asio::bind_executor(pool, [&](std::exception_ptr, Written) {
                      handler_thread.set_value(std::this_thread::get_id());
                    }));
  EXPECT_EQ(handler_thread.get_future().get(), pool_thread.get_future().get());
  pool.join();
}

TEST_P(Async, runs_handlers_on_the_loop_when_they_have_no_executor) {
  std::thread::id where;
  checkpointer_.put(checkpoint("t", 1), Call{},
                    [&](std::exception_ptr, Written) { where = std::this_thread::get_id(); });
  io_.run();
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_P(Async, keeps_the_order_of_a_thread) {
  std::vector<std::string> latest_seen;
  for (int i = 0; i < 100; ++i) {
    checkpointer_.put(checkpoint("t", i), Call{},
                      [](std::exception_ptr error, Written) { EXPECT_FALSE(error); });
    checkpointer_.get(latest("t"), Call{},
                      [&, i](std::exception_ptr, std::optional<CheckpointTuple> found) {
                        ASSERT_TRUE(found);
                        EXPECT_EQ(found->checkpoint_id, std::to_string(100'000 + i));
                        latest_seen.push_back(found->checkpoint_id);
                      });
  }
  io_.run();
  EXPECT_EQ(latest_seen.size(), 100U);
}

TEST_P(Async, carries_out_a_thousand_calls_at_once) {
  constexpr int calls = 1000;
  std::vector<std::future<Written>> writes;
  std::vector<std::future<std::optional<CheckpointTuple>>> reads;
  for (int i = 0; i < calls; ++i) {
    const auto thread_id = "t" + std::to_string(i % 37);
    writes.push_back(checkpointer_.put(checkpoint(thread_id, i), Call{}, asio::use_future));
    reads.push_back(checkpointer_.get(latest(thread_id), Call{}, asio::use_future));
  }
  std::thread other([&] { io_.run(); });
  io_.run();
  other.join();
  for (auto& write : writes) EXPECT_EQ(write.get().changed, 2U);
  for (int i = 0; i < calls; ++i) {
    const auto found = reads[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->checkpoint_id, std::to_string(100'000 + i));
    ASSERT_EQ(found->values.size(), 1U);
  }
}

TEST_P(Async, ends_calls_that_find_the_queue_full) {
  auto store = std::make_shared<Store>(Registry::builtin().open("memory:"),
                                       StoreOptions{.async_threads = 1, .async_queue = 2});
  AsyncCheckpointer<Executor> bounded(store, io_.get_executor());
  // Handlers run on the loop, which stands still, but calls are carried out meanwhile: enough of
  // them at once find the queue full all the same.
  int ok = 0;
  int full = 0;
  for (int i = 0; i < 5000; ++i) {
    bounded.put(checkpoint("t", i), Call{}, [&](std::exception_ptr error, Written) {
      try {
        if (error) std::rethrow_exception(error);
        ++ok;
      } catch (const Error& refused) {
        EXPECT_EQ(refused.code(), Code::unavailable);
        ++full;
      }
    });
  }
  io_.run();
  EXPECT_EQ(ok + full, 5000);
  EXPECT_GT(ok, 0);
  EXPECT_GT(full, 0);
}

}  // namespace
}  // namespace threadkeep::testing
