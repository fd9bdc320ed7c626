// SPDX-License-Identifier: Apache-2.0
// Networks that fail in the middle of an operation.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "asynchronous_backend.hpp"
#include "operations.hpp"
#include "threadkeep/registry.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;
using testing::TcpProxy;
using Direction = TcpProxy::Direction;

constexpr auto directions = {Direction::to_server, Direction::to_client};
constexpr auto slack = 5s;  // of a busy machine

// About a hundred places in so many bytes; all of them where they are few.
std::size_t step_through(std::size_t bytes) {
  return std::max<std::size_t>(1, bytes / 100);
}

class Outage : public ::testing::Test {
 protected:
  // A store behind the proxy, and the same one without it.
  void begin(const std::string& parameters = {}) {
    const auto url = fresh_url(parameters);
    direct_.emplace(open_store(url));
    store_.emplace(open_behind(proxy_.in_front_of(url)));
  }
  virtual Checkpointer open_behind(const std::string& url) { return open_store(url); }

  // There is a connection that works.
  void warm_up() {
    proxy_.pass();
    store_->get({"warm", "", {}, {}});
  }

  // The error that the call ends with; it ends soon after its deadline at the latest.
  template <class Run>
  std::optional<Error> error_within(std::chrono::milliseconds time, const Run& run) {
    const auto start = std::chrono::steady_clock::now();
    std::optional<Error> error;
    try {
      run(Call{Deadline::after(time), {}});
    } catch (const Error& caught) {
      error = caught;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, time + slack);
    return error;
  }

  void cut_reads() {
    begin();
    fill(*direct_);
    for (const auto& read : reads()) {
      SCOPED_TRACE(read.name);
      const std::string expected = read.run(*direct_, {});
      warm_up();
      const auto traffic = traffic_of(proxy_, [&] { read.run(*store_, {}); });
      for (const auto direction : directions) {
        const std::size_t bytes = traffic.in(direction);
        for (std::size_t at = 0; at < bytes; at += step_through(bytes)) {
          warm_up();
          proxy_.cut_after(direction, at);
          const auto error = error_within(10s, [&](const Call& call) {
            EXPECT_EQ(read.run(*store_, call), expected) << "cut after " << at;
          });
          ASSERT_TRUE(error) << "cut after " << at << " of " << bytes;
          EXPECT_EQ(error->code(), Code::unavailable) << error->what();
        }
      }
      warm_up();
      EXPECT_EQ(read.run(*store_, {}), expected);
    }
  }

  void cut_mutations() {
    begin();
    fill(*direct_);
    for (const auto& mutation : mutations()) {
      SCOPED_TRACE(mutation.name);
      for (const std::size_t bytes : {0, 1, 40, 200, 5'000}) {
        for (const auto direction : directions) {
          warm_up();
          const auto before = contents(*direct_);
          proxy_.cut_after(direction, bytes);
          const auto error =
              error_within(10s, [&](const Call& call) { mutation.run(*store_, call); });
          if (error && error->code() != Code::outcome_unknown) {
            EXPECT_EQ(error->code(), Code::unavailable) << error->what();
            EXPECT_EQ(contents(*direct_), before) << error->what();
          }
          proxy_.pass();
          EXPECT_TRUE(store_->get({"t", "", {}, {}})) << "the next call works";
        }
      }
    }
  }

  void fall_silent() {
    begin();
    fill(*direct_);
    for (const auto& operation : operations()) {
      SCOPED_TRACE(operation.name);
      for (const std::size_t bytes : {0, 60}) {
        for (const auto direction : directions) {
          warm_up();
          proxy_.fall_silent_after(direction, bytes);
          const auto error =
              error_within(100ms, [&](const Call& call) { operation.run(*store_, call); });
          if (error) {
            EXPECT_TRUE(error->code() == Code::timeout || error->code() == Code::outcome_unknown)
                << error->what();
          }
          EXPECT_TRUE(error || bytes > 0);
        }
      }
    }
    warm_up();
    EXPECT_TRUE(store_->get({"t", "", {}, {}}));
  }

  TcpProxy proxy_{RedisServer::shared().port()};
  std::optional<Checkpointer> direct_;
  std::optional<Checkpointer> store_;
};

TEST_F(Outage, at_any_byte_of_a_read_is_an_error_and_never_empty) {
  cut_reads();
}

TEST_F(Outage, in_the_middle_of_a_mutation_leaves_a_store_that_works) {
  cut_mutations();
}

TEST_F(Outage, by_silence_ends_with_the_deadline) {
  fall_silent();
}

TEST_F(Outage, by_silence_while_connecting_ends_with_connect_timeout) {
  begin("connect_timeout=200ms");
  proxy_.fall_silent();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Error error = error_of([&] { store_->get({"t", "", {}, {}}); });
    EXPECT_EQ(error.code(), Code::unavailable) << error.what();
    EXPECT_NE(error.message().find("connect_timeout"), std::string::npos) << error.what();
  }
  warm_up();
}

TEST_F(Outage, can_be_waited_out_by_a_stop) {
  begin();
  fill(*store_);
  proxy_.fall_silent();
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(100ms);
    source.request_stop();
  });
  EXPECT_EQ(code_of([&] {
              store_->get({"t", "", {}, {}}, {Deadline::never(), source.get_token()});
            }),
            Code::cancelled);
  stopper.join();
}

TEST_F(Outage, does_not_get_split_or_slow_answers_out_of_step) {
  begin();
  const auto expect_the_same = [&] {
    fill(*store_);
    for (const auto& read : reads()) EXPECT_EQ(read.run(*store_, {}), read.run(*direct_, {}));
    for (const auto& mutation : mutations()) EXPECT_NO_THROW(mutation.run(*store_, {}));
  };
  proxy_.split();
  expect_the_same();
  direct_->delete_thread("t");
  direct_->delete_thread("u");
  proxy_.pass();
  proxy_.delay(10ms);
  expect_the_same();
}

TEST_F(Outage, by_a_wrong_byte_of_an_answer_is_an_error_and_never_empty) {
  begin();
  fill(*direct_);
  for (const auto& read : reads()) {
    SCOPED_TRACE(read.name);
    // The byte may be one that the filter looks at, or of the name of a field that is read next.
    if (read.name.ends_with("by filter") || read.name == "loose_writes") continue;
    warm_up();
    const auto bytes = traffic_of(proxy_, [&] { read.run(*store_, {}); }).to_client;
    for (std::size_t at = 0; at < bytes; at += step_through(bytes)) {
      warm_up();
      proxy_.corrupt_after(Direction::to_client, at);
      error_within(100ms, [&](const Call& call) { EXPECT_FALSE(read.run(*store_, call).empty()); });
    }
    warm_up();
    EXPECT_EQ(read.run(*store_, {}), read.run(*direct_, {}));
  }
}

TEST_F(Outage, in_an_append_or_a_pop_is_healed_by_sending_it_again) {
  begin();
  SessionStore store(store_->store());
  SessionStore direct(direct_->store());
  std::int64_t number = 0;
  const auto append = [&](SessionStore& sessions, const Call& call) {
    auto message = messages_for("t", {"m" + std::to_string(number)});
    message.operation_id = "append " + std::to_string(number);
    return sessions.append(message, call);
  };
  const auto pop = [&](SessionStore& sessions, const Call& call) {
    return sessions.pop({"t", "", 1, "pop " + std::to_string(number)}, call);
  };
  append(direct, {});
  pop(direct, {});  // The server knows the scripts.
  warm_up();
  const auto traffic = traffic_of(proxy_, [&] { append(store, {}); });
  for (const auto direction : directions) {
    for (std::size_t at = 0; at < traffic.in(direction);
         at += step_through(traffic.in(direction))) {
      ++number;
      warm_up();
      proxy_.cut_after(direction, at);
      EXPECT_TRUE(error_within(10s, [&](const Call& call) { append(store, call); }));
      EXPECT_EQ(append(direct, {}).messages.at(0).seq, number + 1) << "cut after " << at;
      EXPECT_EQ(direct.count(messages_of("t")), 1U);
      warm_up();
      proxy_.cut_after(direction, at);
      error_within(10s, [&](const Call& call) { pop(store, call); });
      EXPECT_EQ(pop(direct, {}).messages.at(0).id, "m" + std::to_string(number));
      EXPECT_EQ(direct.count(messages_of("t")), 0U);
    }
  }
}

// As above, for calls that are submitted.
class AsynchronousOutage : public Outage {
 protected:
  Checkpointer open_behind(const std::string& url) override {
    return Checkpointer(std::make_shared<Store>(
        std::make_unique<testing::AsynchronousBackend>(Registry::builtin().open(url))));
  }
};

TEST_F(AsynchronousOutage, at_any_byte_of_a_read_is_an_error_and_never_empty) {
  cut_reads();
}

TEST_F(AsynchronousOutage, in_the_middle_of_a_mutation_leaves_a_store_that_works) {
  cut_mutations();
}

TEST_F(AsynchronousOutage, by_silence_ends_with_the_deadline) {
  fall_silent();
}

class CutPut : public Outage, public ::testing::WithParamInterface<std::string> {
 protected:
  void put(const std::string& id, const Call& call = {}) {
    store_->put(Draft("t", id).value("a", id, std::string(300, 'x')).value("b", id, "y"), call);
  }

  // Cut off after so many bytes; the outcome is true, or open.
  Code cut(Direction direction, std::size_t bytes) {
    const auto id = padded(++number_);
    warm_up();
    proxy_.cut_after(direction, bytes);
    const auto error = error_within(10s, [&](const Call& call) { put(id, call); });
    proxy_.pass();
    const auto stored = direct_->get({"t", "", id, {}});
    if (stored) {
      EXPECT_EQ(stored->values.size(), 2U) << "whole or not at all";
    }
    if (!error) {
      ADD_FAILURE() << "no error when cut after " << bytes;
      return Code::internal;
    }
    if (error->code() == Code::unavailable) {
      EXPECT_FALSE(stored) << "told that nothing was done, after " << bytes << " bytes";
    } else {
      EXPECT_EQ(error->code(), Code::outcome_unknown) << error->what();
    }
    return error->code();
  }

  Traffic traffic() {
    warm_up();
    put(padded(++number_));  // its script is known from now on
    return traffic_of(proxy_, [&] { put(padded(++number_)); });
  }

  int number_ = 0;
};

// Of the middle of a long text not every byte is tried.
TEST_P(CutPut, at_every_byte_has_a_true_outcome) {
  begin(GetParam());
  const auto all = traffic();
  for (std::size_t at = 0; at < all.to_server; at += at + 200 < all.to_server ? 41 : 1) {
    cut(Direction::to_server, at);
    EXPECT_FALSE(direct_->get({"t", "", padded(number_), {}})) << "after " << at << " bytes";
  }
  for (std::size_t at = 0; at < all.to_client; ++at) {
    EXPECT_EQ(cut(Direction::to_client, at), Code::outcome_unknown);
  }
}

TEST_P(CutPut, and_one_with_a_wrong_byte_end_and_the_store_works_on) {
  begin(GetParam());
  const auto all = traffic();
  for (const auto direction : directions) {
    for (std::size_t at = 0; at < all.in(direction); at += step_through(all.in(direction))) {
      warm_up();
      proxy_.corrupt_after(direction, at);
      error_within(100ms, [&](const Call& call) {
        store_->put(Draft("corrupted", padded(++number_)).value("a", "1", "x"), call);
      });
      warm_up();
      const auto id = padded(++number_);
      put(id);
      EXPECT_EQ(direct_->get({"t", "", {}, {}})->checkpoint_id, id);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CutPut, ::testing::Values("", "script_bytes=0"),
                         [](const auto& test) {
                           return test.param.empty() ? "in_one_command" : "in_a_transaction";
                         });

TEST_F(CutPut, of_a_large_value_has_a_true_outcome) {
  begin();
  const std::string large(1 << 20, 'x');
  for (std::size_t bytes = 0; bytes < large.size(); bytes += 100'000) {
    warm_up();
    proxy_.cut_after(Direction::to_server, bytes);
    const auto error = error_within(
        10s, [&](const Call& call) { store_->put(Draft("t", "1").value("a", "1", large), call); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(is_outage(error->code())) << error->what();
    EXPECT_FALSE(direct_->get({"t", "", "1", {}}));
  }
}

}  // namespace
}  // namespace threadkeep::redis_test
