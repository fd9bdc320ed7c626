// SPDX-License-Identifier: Apache-2.0
#include "log_queue.hpp"

#include <nanobind/stl/string.h>

#include <atomic>
#include <utility>

#include "errors.hpp"

namespace nb = nanobind;

namespace threadkeep::python {

namespace {

// Queues are never destroyed, for threads of stores may push until the process ends. A forked child
// has its own: a lock of the parent's may be held for ever there. For the same reason the sink is
// set once and for all, and reads this.
std::atomic<LogQueue*>& current() {
  static std::atomic<LogQueue*> queue{nullptr};
  return queue;
}

// Records go to a new queue from now on.
void open_queue() {
  current().store(new LogQueue);
  [[maybe_unused]] static const bool once = [] {
    set_log_sink([](const LogRecord& record) { current().load()->push(record); });
    return true;
  }();
}

nb::tuple to_python(const LogRecord& record) {
  nb::dict fields;
  for (const LogField& field : record.fields) {
    fields[python_text(field.key)] = python_text(field.value);
  }
  return nb::make_tuple(python_text(to_string(record.level)), python_text(record.event),
                        python_text(record.message), fields);
}

// (records, how many were dropped, whether these were the last)
nb::tuple take() {
  LogQueue::Taken taken;
  {
    const nb::gil_scoped_release release;
    taken = current().load()->take();
  }
  nb::list records;
  for (const LogRecord& record : taken.records) records.append(to_python(record));
  return nb::make_tuple(records, taken.dropped, taken.closed);
}

}  // namespace

void LogQueue::push(const LogRecord& record) {
  const std::lock_guard lock(mutex_);
  if (waiting_.closed) return;
  if (waiting_.records.size() < max_records) {
    waiting_.records.push_back(record);
  } else {
    ++waiting_.dropped;
  }
  changed_.notify_one();
}

LogQueue::Taken LogQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.closed || !waiting_.records.empty(); });
  return std::exchange(waiting_, Taken{{}, 0, waiting_.closed});
}

void LogQueue::close() {
  const std::lock_guard lock(mutex_);
  waiting_.closed = true;
  changed_.notify_all();
}

void bind_log_queue(nb::module_& module) {
  module.def("log_open", open_queue);
  module.def("log_take", take);
  module.def("log_close", [] { current().load()->close(); });
}

}  // namespace threadkeep::python
