// SPDX-License-Identifier: Apache-2.0
// Networks and servers that fail in the middle of an operation.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "support.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;
using testing::TcpProxy;

struct Operation {
  std::string name;
  std::function<void(Checkpointer&, const Call&)> run;
};

std::vector<Operation> operations() {
  const std::string large(100'000, 'x');
  return {
      {"put", [](auto& s, auto& call) { s.put(Draft("t", "3").parent("2"), call); }},
      {"large put",
       [=](auto& s, auto& call) { s.put(Draft("t", "4").value("a", "4", large), call); }},
      {"put_writes",
       [](auto& s, auto& call) {
         s.put_writes({"t", "", "2", {pending("x", 0, "a", "x")}}, call);
       }},
      {"put_thread",
       [](auto& s, auto& call) {
         s.put_thread({"t", R"({"a": 1})"}, call);
       }},
      {"copy_thread", [](auto& s, auto& call) { s.copy_thread("t", "u", call); }},
      {"prune",
       [](auto& s, auto& call) {
         s.prune(std::vector<std::string>{"t"}, PruneStrategy::keep_latest, call);
       }},
      {"delete_runs", [](auto& s, auto& call) { s.delete_runs({"r"}, call); }},
      {"delete_thread", [](auto& s, auto& call) { s.delete_thread("nobody", call); }},
      {"get",
       [](auto& s, auto& call) {
         s.get({"t", "", {}, {}}, call);
       }},
      {"list", [](auto& s, auto& call) { s.list(of_thread("t"), call); }},
      {"list of all", [](auto& s, auto& call) { s.list({}, call); }},
      {"history",
       [](auto& s, auto& call) {
         s.history({"t", "", {}, {"a"}}, call);
       }},
      {"threads", [](auto& s, auto& call) { s.threads({}, call); }},
  };
}

void fill(Checkpointer& store) {
  store.put(Draft("t", "1").value("a", "1", std::string(100'000, 'x')));
  store.put(Draft("t", "2").parent("1").metadata(R"({"run_id": "r"})").value("a", "2", "x"));
}

bool is_outage(Code code) {
  return code == Code::unavailable || code == Code::outcome_unknown || code == Code::timeout;
}

TEST(Outage, in_the_middle_of_an_operation_is_an_error_and_never_empty) {
  TcpProxy proxy(RedisServer::shared().port());
  const auto url = fresh_url();
  auto direct = open_store(url);
  fill(direct);
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    for (const std::size_t bytes : {0, 1, 40, 200}) {
      for (const auto direction :
           {TcpProxy::Direction::to_server, TcpProxy::Direction::to_client}) {
        auto store = open_store(proxy.in_front_of(url));
        store.get({"t", "", {}, {false, false}});
        proxy.cut_after(direction, bytes);
        try {
          operation.run(store, {Deadline::after(10s), {}});
        } catch (const Error& error) {
          EXPECT_TRUE(is_outage(error.code())) << error.what();
        }
        proxy.pass();
        EXPECT_TRUE(store.get({"t", "", {}, {}})) << "the next call works";
      }
    }
  }
}

TEST(Outage, by_silence_ends_with_the_deadline) {
  TcpProxy proxy(RedisServer::shared().port());
  const auto url = fresh_url();
  auto direct = open_store(url);
  fill(direct);
  auto store = open_store(proxy.in_front_of(url));
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    store.get({"t", "", {}, {}});
    proxy.fall_silent();
    const auto start = std::chrono::steady_clock::now();
    const Code code = code_of([&] { operation.run(store, {Deadline::after(200ms), {}}); });
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_TRUE(code == Code::timeout || code == Code::outcome_unknown) << to_string(code);
    proxy.pass();
  }
}

TEST(Outage, can_be_waited_out_by_a_stop) {
  TcpProxy proxy(RedisServer::shared().port());
  const auto url = fresh_url();
  auto store = open_store(proxy.in_front_of(url));
  fill(store);
  proxy.fall_silent();
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(100ms);
    source.request_stop();
  });
  EXPECT_EQ(code_of([&] {
              store.get({"t", "", {}, {}}, {Deadline::never(), source.get_token()});
            }),
            Code::cancelled);
  stopper.join();
}

TEST(Outage, does_not_get_split_or_slow_answers_out_of_step) {
  TcpProxy proxy(RedisServer::shared().port());
  auto store = open_store(proxy.in_front_of(fresh_url()));
  proxy.split();
  fill(store);
  EXPECT_EQ(store.get({"t", "", "1", {}})->values.at(0).data.size(), 100'000U);
  EXPECT_EQ(store.list(of_thread("t")).items.size(), 2U);
  EXPECT_EQ(store.threads({}).items.size(), 1U);
}

// A put is cut off at every byte that the client sends, and again at every byte of the answer.
void cut_puts(TcpProxy::Direction direction, const std::string& parameters, std::size_t step) {
  TcpProxy proxy(RedisServer::shared().port());
  const auto url = fresh_url(parameters);
  auto direct = open_store(url);
  auto store = open_store(proxy.in_front_of(url));
  int unknown = 0;
  for (std::size_t bytes = 0;; bytes += step) {
    const auto id = padded(static_cast<int>(bytes));
    store.get({"warm", "", {}, {}});
    proxy.cut_after(direction, bytes);
    std::optional<Error> error;
    try {
      store.put(Draft("t", id).value("a", id, std::string(300, 'x')).value("b", id, "y"));
    } catch (const Error& caught) {
      error = caught;
    }
    proxy.pass();
    const auto stored = direct.get({"t", "", id, {}});
    if (stored) {
      EXPECT_EQ(stored->values.size(), 2U) << "whole or not at all";
    }
    if (!error) {
      EXPECT_TRUE(stored);
      break;
    }
    if (error->code() == Code::outcome_unknown) {
      ++unknown;
    } else {
      EXPECT_EQ(error->code(), Code::unavailable) << error->what();
      EXPECT_FALSE(stored) << "told that nothing was done, after " << bytes << " bytes";
    }
  }
  EXPECT_GT(unknown, 0);
}

TEST(Outage, at_every_byte_of_a_put_has_a_true_outcome) {
  cut_puts(TcpProxy::Direction::to_server, "", 13);
  cut_puts(TcpProxy::Direction::to_client, "", 1);
}

TEST(Outage, at_every_byte_of_a_transaction_has_a_true_outcome) {
  cut_puts(TcpProxy::Direction::to_server, "script_bytes=0", 61);
  cut_puts(TcpProxy::Direction::to_client, "script_bytes=0", 1);
}

TEST(Outage, of_the_server_loses_nothing_that_it_has_acknowledged) {
  RedisServer server({.durable = true});
  const auto url = server.url("durability=fsync");
  std::mutex mutex;
  std::map<std::string, int> acknowledged;  // thread, greatest checkpoint
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      auto store = open_store(url);
      const std::string thread = std::to_string(writer);
      for (int i = 1; !stop; ++i) {
        const std::string value(writer % 2 ? 20'000 : 20, 'x');
        try {
          store.put(Draft(thread, padded(i)).value("a", padded(i), value));
        } catch (const Error& error) {
          EXPECT_TRUE(is_outage(error.code())) << error.what();
          std::this_thread::sleep_for(5ms);
          continue;
        }
        const std::lock_guard lock(mutex);
        acknowledged[thread + "/" + padded(i)] = static_cast<int>(value.size());
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(700ms);
    server.kill();
    server.start();
  }
  std::this_thread::sleep_for(300ms);
  stop = true;
  for (auto& writer : writers) writer.join();
  auto store = open_store(url);
  EXPECT_GT(acknowledged.size(), 20U);
  for (const auto& [place, size] : acknowledged) {
    const auto tuple = store.get({place.substr(0, 1), "", place.substr(2), {}});
    ASSERT_TRUE(tuple) << place;
    ASSERT_EQ(tuple->values.size(), 1U) << place;
    EXPECT_EQ(tuple->values[0].data.size(), static_cast<std::size_t>(size));
  }
}

}  // namespace
}  // namespace threadkeep::redis_test
