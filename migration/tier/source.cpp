// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/source.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

namespace threadkeep::migration {

class ReadAhead::Impl {
 public:
  Impl(tables::Snapshot& snapshot, const tables::Table& table,
       tables::Snapshot::Selection selection, BatchLimits limits, const Call& call, Look look)
      : snapshot_(snapshot),
        table_(table),
        selection_(std::move(selection)),
        limits_(limits),
        look_(std::move(look)),
        call_{call.deadline, stop_.get_token()},
        when_caller_stops_(call.stop, [this] { stop_.request_stop(); }),
        thread_([this] { run(); }) {}

  ~Impl() {
    stop_.request_stop();
    changed_.notify_all();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::optional<tables::Batch> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return full_; });
    if (error_) std::rethrow_exception(error_);
    if (!batch_) return {};  // stays full: the end is told as often as somebody asks
    auto batch = std::move(batch_);
    full_ = false;
    changed_.notify_all();
    return batch;
  }

 private:
  void run() {
    try {
      const auto reader =
          from_source([&] { return snapshot_.read(table_, std::move(selection_), call_); });
      while (put(read(*reader))) {
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      full_ = true;
      changed_.notify_all();
    }
  }

  std::optional<tables::Batch> read(tables::RowReader& reader) const {
    auto batch = from_source([&] { return reader.next(limits_.rows, limits_.bytes, call_); });
    if (batch && look_) look_(*batch);
    return batch;
  }

  // Whether more is wanted.
  bool put(std::optional<tables::Batch> batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop_.get_token(), [&] { return !full_; });
    if (full_) return false;
    batch_ = std::move(batch);
    full_ = true;
    changed_.notify_all();
    return batch_.has_value();
  }

  tables::Snapshot& snapshot_;
  const tables::Table& table_;
  tables::Snapshot::Selection selection_;
  const BatchLimits limits_;
  const Look look_;
  std::stop_source stop_;
  const Call call_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool full_ = false;  // guarded by mutex_, like the next two
  std::optional<tables::Batch> batch_;
  std::exception_ptr error_;
  std::stop_callback<std::function<void()>> when_caller_stops_;
  std::thread thread_;
};

ReadAhead::ReadAhead(tables::Snapshot& snapshot, const tables::Table& table,
                     tables::Snapshot::Selection selection, BatchLimits limits, const Call& call,
                     Look look)
    : impl_(std::make_unique<Impl>(snapshot, table, std::move(selection), limits, call,
                                   std::move(look))) {}

ReadAhead::~ReadAhead() = default;

std::optional<tables::Batch> ReadAhead::next() {
  return impl_->next();
}

tables::Snapshot::Selection selection_of(const TablePlan& plan, const Pass& pass,
                                         tables::Cursor from) {
  return {
      .columns = pass.read, .from = std::move(from), .without_expired = plan.expiry, .limit = {}};
}

}  // namespace threadkeep::migration
