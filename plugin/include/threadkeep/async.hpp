// SPDX-License-Identifier: Apache-2.0
#pragma once

// clang-format off
// First, because asio 1.22 chooses its allocation functions by what the standard library has
// defined before: asio as the very first include of one file and not of another mixes both.
#include "threadkeep/checkpointer.hpp"
#include "threadkeep/session_store.hpp"
// clang-format on

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// \file
/// The operations of Checkpointer and SessionStore for programs that use asio. The only header that
/// needs it.

namespace threadkeep {

namespace detail {

/// Holds a completion handler until its result is there, then runs it on its own executor, never
/// inside the initiating function. A work guard keeps that executor's loop running until the
/// handler is posted, and is let go right after: nothing here touches the executor later. The store
/// is kept alive too, and let go right before the handler runs: a thread of the store cannot close
/// it, and whoever has heard of the end finds nothing of the call left.
template <class Result, class Handler, class Executor>
class Completion {
 public:
  Completion(Handler handler, const Executor& fallback, std::shared_ptr<Store> store)
      : store_(std::move(store)),
        handler_(std::move(handler)),
        executor_(asio::get_associated_executor(handler_, fallback)),
        work_(executor_) {}

  void operator()(std::exception_ptr error, Result result) {
    // Not let go by the handler: the loop must not end while post() is still at work on it.
    const auto work = std::move(work_);
    const HandlerExecutor executor = std::move(executor_);
    asio::post(executor, [store = std::move(store_), handler = std::move(handler_),
                          error = std::move(error), result = std::move(result)]() mutable {
      store.reset();
      std::move(handler)(std::move(error), std::move(result));
    });
  }

 private:
  using HandlerExecutor = asio::associated_executor_t<Handler, Executor>;

  std::shared_ptr<Store> store_;
  Handler handler_;
  HandlerExecutor executor_;
  asio::executor_work_guard<HandlerExecutor> work_;
};

template <class Complete>
class AsyncWrite final : public WriteTask {
 public:
  explicit AsyncWrite(Complete complete) : complete_(std::move(complete)) {}

  void done(Outcome outcome) noexcept override {
    complete_(outcome.error ? std::make_exception_ptr(*outcome.error) : nullptr,
              std::move(outcome.written));
  }

 private:
  Complete complete_;
};

template <class Result, class Read, class Complete>
class AsyncRead final : public ReadTask {
 public:
  AsyncRead(Read read, Complete complete)
      : read_(std::move(read)), complete_(std::move(complete)) {}

  void run(Store& store) noexcept override {
    Result result{};
    std::exception_ptr error;
    try {
      result = read_(store);
    } catch (...) {
      error = std::current_exception();
    }
    complete_(std::move(error), std::move(result));
  }

  void refuse(Error error) noexcept override {
    complete_(std::make_exception_ptr(std::move(error)), Result{});
  }

 private:
  Read read_;
  Complete complete_;
};

/// How an asynchronous interface hands its calls to the store.
template <class Executor>
class AsyncCalls {
 public:
  AsyncCalls(std::shared_ptr<Store> store, Executor executor)
      : store_(std::move(store)), executor_(std::move(executor)) {}

  const std::shared_ptr<Store>& store() const noexcept { return store_; }

 protected:
  template <class Token>
  auto write(Mutation mutation, Call call, Token&& token) {
    return asio::async_initiate<Token, void(std::exception_ptr, Written)>(
        [store = store_, executor = executor_](auto handler, Mutation m, Call c) {
          connect_cancellation(handler, c);
          using Complete = Completion<Written, decltype(handler), Executor>;
          auto task =
              std::make_unique<AsyncWrite<Complete>>(Complete(std::move(handler), executor, store));
          store->submit(std::move(m), c, std::move(task));
        },
        token, std::move(mutation), std::move(call));
  }

  template <class Result, class Token, class Read>
  auto read(std::string lane, Call call, Token&& token, Read run) {
    return asio::async_initiate<Token, void(std::exception_ptr, Result)>(
        [store = store_, executor = executor_](auto handler, std::string l, Call c, Read r) {
          connect_cancellation(handler, c);
          using Complete = Completion<Result, decltype(handler), Executor>;
          auto bound = [r = std::move(r), c](Store& s) { return r(s, c); };
          using Task = AsyncRead<Result, decltype(bound), Complete>;
          auto task = std::make_unique<Task>(std::move(bound),
                                             Complete(std::move(handler), executor, store));
          store->submit(std::move(l), c, std::move(task));
        },
        token, std::move(lane), std::move(call), std::move(run));
  }

 private:
  // Connects the handler's cancellation slot, if any, to the stop token of the call. The source
  // lives in the slot's handler; the token keeps its state alive on its own.
  template <class Handler>
  static void connect_cancellation(const Handler& handler, Call& call) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (!slot.is_connected()) return;
    std::stop_source source;
    auto forward = std::make_shared<Forward>(call.stop, Stopper{source});
    call.stop = source.get_token();
    slot.assign([source, forward](asio::cancellation_type) mutable { source.request_stop(); });
  }

  struct Stopper {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };
  using Forward = std::stop_callback<Stopper>;

  std::shared_ptr<Store> store_;
  Executor executor_;
};

}  // namespace detail

/// Checkpointer for asio: each operation takes any completion token (a callback, asio::use_future,
/// asio::use_awaitable) of signature `void(std::exception_ptr, Result)`.
///
/// Handlers run on their associated executor, else on the one given here. Calls of one object for
/// one thread take effect in the order they were made. A full queue ends a call with
/// `unavailable` at once; it never waits. The handler's cancellation slot is honoured: a call that
/// has not begun ends with `cancelled`. Thread-safe. A call keeps the store open until its handler
/// is called. A loop that ends by itself may be destroyed at once; one that is stopped by hand
/// needs its store to be idle first.
template <class Executor>
class AsyncCheckpointer : public detail::AsyncCalls<Executor> {
 public:
  AsyncCheckpointer(std::shared_ptr<Store> store, Executor executor)
      : detail::AsyncCalls<Executor>(std::move(store), std::move(executor)) {}

  template <class Token>
  auto put(PutCheckpoint checkpoint, Call call, Token&& token) {
    return this->write(std::move(checkpoint), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto put_writes(PutWrites writes, Call call, Token&& token) {
    return this->write(std::move(writes), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto put_thread(PutThread thread, Call call, Token&& token) {
    return this->write(std::move(thread), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto delete_thread(std::string thread_id, Call call, Token&& token) {
    return this->write(DeleteThread{std::move(thread_id)}, std::move(call),
                       std::forward<Token>(token));
  }
  template <class Token>
  auto delete_runs(std::vector<std::string> run_ids, Call call, Token&& token) {
    return this->write(DeleteRuns{std::move(run_ids)}, std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto copy_thread(std::string source, std::string target, Call call, Token&& token) {
    return this->write(CopyThread{std::move(source), std::move(target)}, std::move(call),
                       std::forward<Token>(token));
  }
  /// One thread at a time, so that every call has one outcome.
  template <class Token>
  auto prune(std::string thread_id, PruneStrategy strategy, Call call, Token&& token) {
    Mutation mutation = Prune{thread_id};
    if (strategy == PruneStrategy::delete_all) mutation = DeleteThread{std::move(thread_id)};
    return this->write(std::move(mutation), std::move(call), std::forward<Token>(token));
  }

  template <class Token>
  auto get(CheckpointQuery query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::optional<CheckpointTuple>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& store, const Call& c) { return store.get(query, c); });
  }
  template <class Token>
  auto list(CheckpointList query, Call call, Token&& token) {
    std::string lane = query.thread_id.value_or("");
    return this->template read<Page<CheckpointTuple>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& store, const Call& c) { return store.list(query, c); });
  }
  template <class Token>
  auto history(HistoryQuery query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::vector<ChannelHistory>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& store, const Call& c) {
          return store.history(query, c);
        });
  }
  template <class Token>
  auto threads(ThreadList query, Call call, Token&& token) {
    return this->template read<Page<ThreadInfo>>(
        std::string(), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& store, const Call& c) {
          return store.threads(query, c);
        });
  }
};

/// SessionStore for asio, as AsyncCheckpointer is Checkpointer: all that is said there holds here.
template <class Executor>
class AsyncSessionStore : public detail::AsyncCalls<Executor> {
 public:
  AsyncSessionStore(std::shared_ptr<Store> store, Executor executor)
      : detail::AsyncCalls<Executor>(std::move(store), std::move(executor)) {}

  template <class Token>
  auto append(AppendMessages append, Call call, Token&& token) {
    return this->write(std::move(append), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto update(UpdateMessage update, Call call, Token&& token) {
    return this->write(std::move(update), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto remove(RemoveMessages removal, Call call, Token&& token) {
    return this->write(std::move(removal), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto pop(PopMessages pop, Call call, Token&& token) {
    return this->write(std::move(pop), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto clear(ClearMessages clear, Call call, Token&& token) {
    return this->write(std::move(clear), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto change_state(ChangeState change, Call call, Token&& token) {
    return this->write(std::move(change), std::move(call), std::forward<Token>(token));
  }
  template <class Token>
  auto put_state(StateScope scope, std::string key, std::string value,
                 std::optional<std::int64_t> expected_version, Call call, Token&& token) {
    StateChange change{std::move(key), StateChange::Kind::put, std::move(value), expected_version};
    return change_state({std::move(scope), {std::move(change)}}, std::move(call),
                        std::forward<Token>(token));
  }
  template <class Token>
  auto merge_state(StateScope scope, std::string key, std::string patch,
                   std::optional<std::int64_t> expected_version, Call call, Token&& token) {
    StateChange change{std::move(key), StateChange::Kind::merge, std::move(patch),
                       expected_version};
    return change_state({std::move(scope), {std::move(change)}}, std::move(call),
                        std::forward<Token>(token));
  }
  template <class Token>
  auto delete_state(StateScope scope, std::string key, std::optional<std::int64_t> expected_version,
                    Call call, Token&& token) {
    StateChange change{std::move(key), StateChange::Kind::erase, {}, expected_version};
    return change_state({std::move(scope), {std::move(change)}}, std::move(call),
                        std::forward<Token>(token));
  }

  template <class Token>
  auto messages(MessageList query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<Page<Message>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.messages(query, c); });
  }
  template <class Token>
  auto tail(TailQuery query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::vector<Message>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return read_tail(s, query, c); });
  }
  template <class Token>
  auto message(MessageQuery query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::optional<Message>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.message(query, c); });
  }
  template <class Token>
  auto count(MessageList query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::uint64_t>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.count_messages(query, c); });
  }
  template <class Token>
  auto state(StateQuery query, Call call, Token&& token) {
    std::string lane = query.scope.lane();
    return this->template read<std::optional<StateDocument>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.state(query, c); });
  }
  template <class Token>
  auto states(StateList query, Call call, Token&& token) {
    std::string lane = query.scope.lane();
    return this->template read<Page<StateDocument>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.states(query, c); });
  }
  template <class Token>
  auto thread(ThreadQuery query, Call call, Token&& token) {
    std::string lane = query.thread_id;
    return this->template read<std::optional<ThreadInfo>>(
        std::move(lane), std::move(call), std::forward<Token>(token),
        [query = std::move(query)](Store& s, const Call& c) { return s.thread(query, c); });
  }
};

}  // namespace threadkeep
