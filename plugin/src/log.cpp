// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/log.hpp"

#include <pthread.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>

namespace threadkeep {

namespace {

struct Sink {
  std::shared_mutex mutex;
  LogSink sink;
};

// Never destroyed: threads of stores that outlive main() may still write.
Sink& process_sink() {
  static Sink& sink = []() -> Sink& {
    // A child that is forked while another thread holds the lock would wait for it for ever.
    // In the child the lock is made anew, for those who wait for it are not there.
    pthread_atfork([] { process_sink().mutex.lock(); }, [] { process_sink().mutex.unlock(); },
                   [] { new (&process_sink().mutex) std::shared_mutex; });
    return *new Sink;
  }();
  return sink;
}

// One call writes the line, so that lines of several threads do not mix.
void write_to_standard_error(const LogRecord& record) {
  if (record.level < LogLevel::warning) return;
  std::string line = "threadkeep: ";
  line.append(to_string(record.level)).append(": ").append(record.message);
  for (const LogField& field : record.fields) {
    line.append(" ").append(field.key).append("=").append(field.value);
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

void set_log_sink(LogSink sink) {
  const std::unique_lock lock(process_sink().mutex);
  process_sink().sink = std::move(sink);
}

void log(const LogRecord& record) noexcept {
  try {
    const std::shared_lock lock(process_sink().mutex);
    if (process_sink().sink) {
      process_sink().sink(record);
    } else {
      write_to_standard_error(record);
    }
  } catch (...) {  // a log must not break what it tells about
    return;
  }
}

}  // namespace threadkeep
