// SPDX-License-Identifier: Apache-2.0
#include "native_store.hpp"

#include <unistd.h>

#include <cmath>

#include "payload.hpp"
#include "threadkeep/registry.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

// Longer than any process lives, and safe to count in nanoseconds.
constexpr double forever_seconds = 1e9;

Call make_call(std::optional<double> timeout, std::stop_token stop) {
  if (!timeout || *timeout >= forever_seconds) return {Deadline::never(), std::move(stop)};
  if (!(*timeout >= 0)) {
    throw Error(Code::invalid_argument, "timeout must be a number of seconds from 0, or None");
  }
  const std::chrono::duration<double> seconds(*timeout);
  const auto duration = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
  return {Deadline::after(duration), std::move(stop)};
}

Error unexpected() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(Code::no_space, "out of memory");
  } catch (const std::exception& error) {
    return Error(Code::internal, error.what());
  }
}

// Passes on the closing of the store to one asynchronous call.
struct CancelOnClose {
  PendingCall pending;

  void operator()() const {
    PendingCall call = pending;  // The call may end meanwhile, and this object with it.
    call.cancel();
  }
};
using OnClose = std::stop_callback<CancelOnClose>;

class QueuedWrite final : public WriteTask {
 public:
  QueuedWrite(std::shared_ptr<CompletionQueue> queue, std::uint64_t token, std::stop_token closing,
              PendingCall pending)
      : queue_(std::move(queue)),
        token_(token),
        on_close_(std::move(closing), CancelOnClose{std::move(pending)}) {}

  void done(Outcome outcome) noexcept override {
    queue_->push({token_, outcome.written, std::move(outcome.error)});
  }

 private:
  std::shared_ptr<CompletionQueue> queue_;
  std::uint64_t token_;
  OnClose on_close_;
};

class QueuedRead final : public ReadTask {
 public:
  QueuedRead(Request::Read read, Call call, std::shared_ptr<CompletionQueue> queue,
             std::uint64_t token, std::stop_token closing, PendingCall pending)
      : read_(std::move(read)),
        call_(std::move(call)),
        queue_(std::move(queue)),
        token_(token),
        on_close_(std::move(closing), CancelOnClose{std::move(pending)}) {}

  void run(Store& store) noexcept override {
    Completion completion{.token = token_, .result = {}, .error = {}};
    try {
      completion.result = read_.run(store, call_);
    } catch (...) {
      completion.error = unexpected();
    }
    queue_->push(std::move(completion));
  }

  void refuse(Error error) noexcept override {
    queue_->push({.token = token_, .result = {}, .error = std::move(error)});
  }

 private:
  Request::Read read_;
  Call call_;
  std::shared_ptr<CompletionQueue> queue_;
  std::uint64_t token_;
  OnClose on_close_;
};

bool waits(const Request::Work& work) {
  const auto* read = std::get_if<Request::Read>(&work);
  return read != nullptr && read->waits;
}

Result carry_out(Store& store, Request::Work work, const Call& call) {
  if (auto* mutation = std::get_if<Mutation>(&work)) return store.write(std::move(*mutation), call);
  return std::get<Request::Read>(work).run(store, call);
}

std::atomic<int> closings = 0;
std::atomic<bool> ends = false;

// Counts a thread that closes a store, until it has the GIL again.
class Closing {
 public:
  Closing() { ++closings; }
  ~Closing() {
    --closings;
    closings.notify_all();
  }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
};

}  // namespace

// Keeps the store open during a call. It ends with the GIL held again, so that a thread that
// close() has waited for is not left waiting for the GIL of an interpreter that shuts down.
class NativeStore::InFlight {
 public:
  explicit InFlight(NativeStore& owner) : owner_(owner) {
    owner_.check_process();
    release_payloads();
    std::lock_guard lock(owner_.mutex_);
    store_ = owner_.store_;
    if (!store_) throw Error(Code::invalid_argument, "the store is closed");
    ++owner_.in_flight_;
  }
  ~InFlight() {
    release_payloads();
    store_.reset();  // Before close() goes on, so that the last reference is never here.
    std::lock_guard lock(owner_.mutex_);
    if (--owner_.in_flight_ == 0) owner_.in_flight_.notify_all();
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  Store& store() const { return *store_; }

 private:
  NativeStore& owner_;
  std::shared_ptr<Store> store_;
};

NativeStore::NativeStore(const std::string& url)
    : process_(::getpid()),
      store_(threadkeep::open(url)),
      blocking_(store_->capabilities().blocking) {}

NativeStore::~NativeStore() {
  if (in_own_process()) close();
}

nb::object NativeStore::call(Request& request, std::optional<double> timeout,
                             PendingCall* pending) {
  InFlight in_flight(*this);
  std::optional<OnClose> on_close;
  if (pending != nullptr) on_close.emplace(closing_.get_token(), CancelOnClose{*pending});
  Call call = make_call(timeout, pending != nullptr ? pending->token() : closing_.get_token());
  Request::Work work = request.take();
  Result result;
  {
    // A store that never waits is done before another thread could take over the GIL.
    std::optional<nb::gil_scoped_release> release;
    if (blocking_ || waits(work)) release.emplace();
    result = carry_out(in_flight.store(), std::move(work), call);
  }
  return to_python(result);
}

PendingCall NativeStore::submit(Request& request, std::optional<double> timeout,
                                const LoopQueue& loop_queue, std::uint64_t token) {
  InFlight in_flight(*this);
  PendingCall pending;
  Call call = make_call(timeout, pending.token());
  Request::Work work = request.take();
  std::shared_ptr<CompletionQueue> queue = loop_queue.queue;
  nb::gil_scoped_release release;
  if (auto* mutation = std::get_if<Mutation>(&work)) {
    auto task =
        std::make_unique<QueuedWrite>(std::move(queue), token, closing_.get_token(), pending);
    in_flight.store().submit(std::move(*mutation), call, std::move(task));
  } else {
    auto& read = std::get<Request::Read>(work);
    std::string lane = read.lane;
    auto task = std::make_unique<QueuedRead>(std::move(read), call, std::move(queue), token,
                                             closing_.get_token(), pending);
    in_flight.store().submit(std::move(lane), call, std::move(task));
  }
  return pending;
}

void NativeStore::close() {
  check_process();
  const Closing closing;
  std::optional<nb::gil_scoped_release> release;
  if (!ends) release.emplace();
  closing_.request_stop();  // Runs code of the store, which may wait for its threads.
  std::shared_ptr<Store> store;
  {
    std::lock_guard lock(mutex_);
    store = std::move(store_);
  }
  while (const int calls = in_flight_) in_flight_.wait(calls);
  store.reset();
}

void NativeStore::end_all() {
  ends = true;
  const nb::gil_scoped_release release;
  while (const int others = closings) closings.wait(others);
}

void NativeStore::begin_anew() noexcept {
  closings = 0;
}

Capabilities NativeStore::capabilities() {
  InFlight in_flight(*this);
  return in_flight.store().capabilities();
}

bool NativeStore::in_own_process() const {
  return ::getpid() == process_;
}

void NativeStore::check_process() const {
  if (in_own_process()) return;
  throw Error(Code::unsupported, "this store was opened before fork(), in another process (" +
                                     std::to_string(process_) +
                                     "); open it again in the child process");
}

}  // namespace threadkeep::python
