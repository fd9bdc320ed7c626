// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>

#include "threadkeep/async.hpp"
#include "unit/recording_backend.hpp"

namespace threadkeep::testing {
namespace {

using Executor = asio::io_context::executor_type;

class AsyncCancellation : public ::testing::Test {
 protected:
  AsyncCancellation() {
    recorder_->hold();
    start("first", nullptr);
    recorder_->wait_until_inside(1);
  }

  // A write whose end is written to `ends`; it may be cancelled by the signal.
  void start(const std::string& label, asio::cancellation_signal* signal, Call call = {}) {
    auto handler = [this, label](std::exception_ptr error, Written) {
      std::optional<Error> reason;
      try {
        if (error) std::rethrow_exception(error);
      } catch (const Error& thrown) {
        reason = thrown;
      }
      ends_[label] = ending(reason);
    };
    auto writes = std::get<PutWrites>(labelled("t", label));
    if (signal == nullptr) {
      checkpointer_.put_writes(std::move(writes), call, handler);
    } else {
      checkpointer_.put_writes(std::move(writes), call,
                               asio::bind_cancellation_slot(signal->slot(), handler));
    }
  }
  void finish() {
    recorder_->release();
    io_.run();
  }

  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  std::shared_ptr<Store> store_ =
      std::make_shared<Store>(std::make_unique<RecordingBackend>(recorder_));
  asio::io_context io_;
  AsyncCheckpointer<Executor> checkpointer_{store_, io_.get_executor()};
  std::map<std::string, std::string> ends_;
};

TEST_F(AsyncCancellation, ends_a_call_that_has_not_begun) {
  asio::cancellation_signal signal;
  start("cancelled", &signal);
  start("kept", nullptr);
  signal.emit(asio::cancellation_type::all);
  finish();
  EXPECT_EQ(ends_["first"], "ok");
  EXPECT_EQ(ends_["cancelled"], "cancelled");
  EXPECT_EQ(ends_["kept"], "ok");
  EXPECT_EQ(recorder_->events(), (std::vector<std::string>{"first", "kept"}));
}

TEST_F(AsyncCancellation, comes_too_late_after_the_end) {
  asio::cancellation_signal signal;
  start("done", &signal);
  finish();
  signal.emit(asio::cancellation_type::all);
  EXPECT_EQ(ends_["done"], "ok");
}

TEST_F(AsyncCancellation, by_the_slot_leaves_the_token_of_the_call_in_force) {
  asio::cancellation_signal signal;
  std::stop_source source;
  start("cancelled", &signal, Call{Deadline(), source.get_token()});
  source.request_stop();
  finish();
  EXPECT_EQ(ends_["cancelled"], "cancelled");
}

TEST_F(AsyncCancellation, before_the_call_is_not_seen) {
  asio::cancellation_signal signal;
  signal.emit(asio::cancellation_type::all);
  start("kept", &signal);
  finish();
  EXPECT_EQ(ends_["kept"], "ok");
}

// Under the address sanitizer: what is left of an ended call must not touch the executor.
TEST(AsyncLifetime, lets_go_of_the_executor_with_the_handler) {
  auto recorder = std::make_shared<Recorder>();
  auto store = std::make_shared<Store>(std::make_unique<RecordingBackend>(recorder));
  recorder->hold();
  std::thread busy([&] { store->write(labelled("t", "first"), Call{}); });
  recorder->wait_until_inside(1);
  {
    asio::io_context io;
    AsyncCheckpointer<Executor> checkpointer(store, io.get_executor());
    bool called = false;
    checkpointer.put_writes(std::get<PutWrites>(labelled("t", "late")),
                            Call{Deadline::after(std::chrono::milliseconds(20)), {}},
                            [&](std::exception_ptr, Written) {
                              called = true;
                              io.stop();
                            });
    io.run();
    EXPECT_TRUE(called);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until post() has returned
  }
  recorder->release();
  busy.join();
}

}  // namespace
}  // namespace threadkeep::testing
