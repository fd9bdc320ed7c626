// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "threadkeep/store.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::testing {

/// What a RecordingBackend saw, and how it is to behave. Outlives the backend. Thread-safe.
class Recorder {
 public:
  using Answer = std::function<Outcome(const Mutation&)>;

  /// From now on calls stop inside the backend until release().
  void hold() { set_held(true); }
  void release() { set_held(false); }

  /// Returns once `count` calls are inside the backend.
  void wait_until_inside(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ >= count; });
  }

  void answer_with(Answer answer) { answer_ = std::move(answer); }
  /// A held call ends with `timeout` when its deadline passes, as a good backend does, or with
  /// `outcome_unknown`, as one must that sits behind a network.
  void obey_deadlines(Code code = Code::timeout) {
    late_ = code;
    obeys_ = true;
  }

  std::vector<std::vector<Mutation>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  /// What was done, in order: the label of each mutation (see label), and "get ID" for reads.
  std::vector<std::string> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  int most_inside() const { return most_inside_; }

  /// For a put_writes its task_id, else the name of the operation.
  static std::string label(const Mutation& mutation) {
    if (const auto* put = std::get_if<PutWrites>(&mutation)) return put->writes.at(0).task_id;
    return std::string(operation_name(mutation));
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) {
    enter(call);
    std::vector<Outcome> outcomes;
    const std::lock_guard lock(mutex_);
    for (const auto& mutation : batch) {
      events_.push_back(label(mutation));
      outcomes.push_back(answer_(mutation));
    }
    batches_.emplace_back(batch.begin(), batch.end());
    --inside_;
    return outcomes;
  }

  void read(const std::string& what) {
    const std::lock_guard lock(mutex_);
    events_.push_back(what);
  }

 private:
  void set_held(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

  void enter(const Call& call) {
    std::unique_lock lock(mutex_);
    ++inside_;
    most_inside_ = std::max(most_inside_.load(), inside_);
    changed_.notify_all();
    const auto free = [&] { return !held_; };
    if (!obeys_ || call.deadline.is_never()) {
      changed_.wait(lock, free);
    } else if (!changed_.wait_until(lock, call.deadline.at(), free)) {
      --inside_;
      throw Error(late_, "late");
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::atomic<bool> obeys_ = false;
  std::atomic<Code> late_ = Code::timeout;
  int inside_ = 0;
  std::atomic<int> most_inside_ = 0;
  Answer answer_ = [](const Mutation&) { return Outcome{{.changed = 1}, {}}; };
  std::vector<std::vector<Mutation>> batches_;
  std::vector<std::string> events_;
};

/// A backend that keeps nothing and tells its recorder about every call.
class RecordingBackend final : public Backend {
 public:
  explicit RecordingBackend(std::shared_ptr<Recorder> recorder, std::size_t batches = 1)
      : recorder_(std::move(recorder)), max_concurrent_batches_(batches) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    return recorder_->apply(batch, call);
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call&) override {
    recorder_->read("get " + query.thread_id);
    return std::nullopt;
  }
  Page<CheckpointTuple> list(const CheckpointList&, const Call&) override { return {}; }
  std::vector<ChannelHistory> history(const HistoryQuery&, const Call&) override { return {}; }
  Page<ThreadInfo> threads(const ThreadList&, const Call&) override { return {}; }
  std::optional<ThreadInfo> thread(const ThreadQuery&, const Call&) override { return {}; }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery&, const Call&) override { return {}; }
  Capabilities capabilities() const override {
    return {.name = "recording",
            .max_value_bytes = 64 * 1024 * 1024,
            .max_concurrent_batches = max_concurrent_batches_};
  }
  Health ping(const Call&) override { return {true, "recording"}; }
  void setup(const Call&) override {}

 private:
  std::shared_ptr<Recorder> recorder_;
  std::size_t max_concurrent_batches_;
};

/// A put_writes that is recognised by its label.
inline Mutation labelled(std::string thread_id, std::string label, std::string payload = {}) {
  return PutWrites{std::move(thread_id), "", "1", {pending(std::move(label), 0, "a", payload)}};
}

/// Ends a future with the outcome; fails the program when called twice.
class FutureWrite final : public WriteTask {
 public:
  explicit FutureWrite(std::promise<Outcome> promise) : promise_(std::move(promise)) {}
  void done(Outcome outcome) noexcept override { promise_.set_value(std::move(outcome)); }

 private:
  std::promise<Outcome> promise_;
};

inline std::future<Outcome> submit(Store& store, Mutation mutation, const Call& call = {}) {
  std::promise<Outcome> promise;
  auto future = promise.get_future();
  store.submit(std::move(mutation), call, std::make_unique<FutureWrite>(std::move(promise)));
  return future;
}

/// Gets a thread's latest checkpoint; the future holds the error that ended it, if any.
class FutureRead final : public ReadTask {
 public:
  FutureRead(std::string thread_id, Call call, std::promise<std::optional<Error>> promise)
      : thread_id_(std::move(thread_id)), call_(std::move(call)), promise_(std::move(promise)) {}

  void run(Store& store) noexcept override {
    try {
      store.get({thread_id_, "", {}, {}}, call_);
      promise_.set_value(std::nullopt);
    } catch (const Error& error) {
      promise_.set_value(error);
    }
  }
  void refuse(Error error) noexcept override { promise_.set_value(std::move(error)); }

 private:
  std::string thread_id_;
  Call call_;
  std::promise<std::optional<Error>> promise_;
};

inline std::future<std::optional<Error>> submit_read(Store& store, const std::string& lane,
                                                     const std::string& thread_id,
                                                     const Call& call = {}) {
  std::promise<std::optional<Error>> promise;
  auto future = promise.get_future();
  store.submit(lane, call, std::make_unique<FutureRead>(thread_id, call, std::move(promise)));
  return future;
}

/// "ok" or the name of the error's code.
inline std::string ending(const std::optional<Error>& error) {
  return error ? std::string(to_string(error->code())) : "ok";
}
inline std::string ending(const Outcome& outcome) {
  return ending(outcome.error);
}
template <class Result>
std::string ending(std::future<Result>& future) {
  if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) return "no end";
  return ending(future.get());
}
/// Of a blocking write.
inline std::string ending(Store& store, Mutation mutation, const Call& call = {}) {
  try {
    store.write(std::move(mutation), call);
    return "ok";
  } catch (const Error& error) {
    return std::string(to_string(error.code()));
  }
}

}  // namespace threadkeep::testing
