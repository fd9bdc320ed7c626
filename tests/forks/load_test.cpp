// SPDX-License-Identifier: Apache-2.0
// Many forks, each at a moment when other threads are inside of calls of a store.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "forks/child.hpp"
#include "postgres_backends.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "threadkeep/testing/temporary_directory.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::forks_test {
namespace {

using namespace std::chrono_literals;
using testing::Draft;

constexpr int rounds = 40;
constexpr auto layers = "try_timeout=30s&retry=3&breaker=on";

std::string fresh_redis(const std::string& parameters) {
  static int number = 0;
  return testing::RedisServer::shared().unix_url("prefix=forks_" + std::to_string(number++) +
                                                 parameters);
}

class Put final : public WriteTask {
 public:
  explicit Put(std::atomic<int>& waiting) : waiting_(waiting) { ++waiting_; }
  void done(Outcome) noexcept override { --waiting_; }

 private:
  std::atomic<int>& waiting_;
};

/// Threads that call a store until this ends: some wait for each call, one does not.
class Load {
 public:
  explicit Load(Store& store) : store_(store) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this, i] { write_and_read("t" + std::to_string(i)); });
    }
    threads_.emplace_back([this] { submit(); });
    while (calls_ < 20) std::this_thread::sleep_for(1ms);
  }
  ~Load() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    while (waiting_ > 0) std::this_thread::sleep_for(1ms);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  void write_and_read(const std::string& thread) {
    for (int i = 0; !stop_; ++i, ++calls_) {
      try {
        store_.write(PutCheckpoint(Draft(thread, std::to_string(i)).value("c", "1", "text")),
                     Call());
        store_.get({thread, "", {}, {}}, Call());
        store_.ping(Call());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::unavailable) << error.what();
      }
    }
  }
  void submit() {
    for (int i = 0; !stop_; ++i) {
      if (waiting_ > 100) std::this_thread::sleep_for(100us);
      store_.submit(PutThread{"t" + std::to_string(i % 8), "{}"}, Call(),
                    std::make_unique<Put>(waiting_));
    }
  }

  Store& store_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> calls_ = 0;
  std::atomic<int> waiting_ = 0;
  std::vector<std::thread> threads_;
};

std::unique_ptr<Store> open_store(const std::string& url) {
  auto store = std::make_unique<Store>(Registry::builtin().open(url));
  store->setup(Call());
  return store;
}

void expect_all_refused(Store& store) {
  expect_refused([&] { store.write(PutCheckpoint(Draft("t0", "x")), Call()); });
  expect_refused([&] { store.get({"t0", "", {}, {}}, Call()); });
  expect_refused([&] { store.list({}, Call()); });
  expect_refused([&] { store.ping(Call()); });
  expect_refused([&] { store.examine(Call()); });
  expect_refused([&] { store.stats({}, Call()); });
  expect_refused([&] { store.setup(Call()); });
}

void use(const std::string& url) {
  const auto store = open_store(url);
  store->write(PutCheckpoint(Draft("child", std::to_string(getpid()))), Call());
  if (!store->get({"child", "", {}, {}}, Call())) throw std::runtime_error("nothing is there");
}

class UnderLoad : public ::testing::Test {
 protected:
  // `own` is what a child opens. SQLite may refuse it, which it says.
  void fork_often(const std::string& url, const std::string& own, bool may_be_refused = false) {
    auto store = open_store(url);
    const Load load(*store);
    for (int i = 0; i < rounds; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 1000));
      ASSERT_TRUE(succeeds_in_child([&] {
        expect_all_refused(*store);
        store.reset();
        try {
          use(own);
        } catch (const Error&) {
          if (!may_be_refused) throw;
          expect_refused([&] { use(own); });
        }
        log({LogLevel::info, "forks_test", "a child is done", {}});
      })) << "round "
          << i;
    }
  }

  std::string postgres(const std::string& parameters) const {
    return testing::bytewise_schemas().url(schema_) + "&" + parameters;
  }
  std::string file(const std::string& name) const { return (directory_.path() / name).string(); }

  const testing::TemporaryDirectory directory_;
  const std::string schema_ = testing::bytewise_schemas().take();
};

TEST_F(UnderLoad, of_memory) {
  fork_often("memory:?" + std::string(layers), "memory:");
}

TEST_F(UnderLoad, of_sqlite) {
  const std::string url = "sqlite:" + file("store.db") + "?synchronous=normal";
  fork_often(url + "&" + layers, url, true);
}

TEST_F(UnderLoad, of_postgres) {
  fork_often(postgres(layers), postgres("pool_size=1"));
}

TEST_F(UnderLoad, of_redis) {
  fork_often(fresh_redis("&" + std::string(layers)), fresh_redis(""));
}

TEST_F(UnderLoad, of_postgres_with_a_fallback) {
  fork_often(postgres("fallback=memory%3A"), postgres("fallback=memory%3A"));
}

TEST_F(UnderLoad, of_a_tiered_store) {
  const auto tiered = [&](const std::string& hot) {
    return "tiered:?hot=" + percent_encode(hot) + "&durable=" + percent_encode(postgres(layers));
  };
  fork_often(tiered(fresh_redis("")), tiered(fresh_redis("")));
}

// Connections are opened and errors are logged all the time.
TEST_F(UnderLoad, of_a_store_that_cannot_be_reached) {
  const std::string nowhere = "postgresql://u@127.0.0.1:1/d?breaker=on";
  std::atomic<bool> stop = false;
  std::atomic<int> logged = 0;
  set_log_sink([&](const LogRecord&) { ++logged; });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        Store store(Registry::builtin().open(nowhere));
        for (int n = 0; n < 5; ++n) EXPECT_THROW(store.get({"t", "", {}, {}}, Call()), Error);
      }
    });
  }
  while (logged < 3) std::this_thread::sleep_for(1ms);
  for (int i = 0; i < rounds; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(i * 37 % 1000));
    EXPECT_TRUE(succeeds_in_child([&] {
      const int before = logged;
      Store store(Registry::builtin().open(nowhere));
      for (int n = 0; n < 3; ++n) {
        try {
          store.get({"t", "", {}, {}}, Call());
        } catch (const Error& error) {
          if (error.code() != Code::unavailable) throw;
        }
      }
      if (logged == before) throw std::runtime_error("nothing was logged");
    }));
  }
  stop = true;
  threads.clear();
  set_log_sink({});
}

}  // namespace
}  // namespace threadkeep::forks_test
