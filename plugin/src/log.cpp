// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/log.hpp"

#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <utility>

#include "fork_locks.hpp"

namespace threadkeep {

namespace {

struct Sink {
  std::shared_mutex in_use;  // shared by those who call the sink, which may take its time
  std::mutex changing;       // taken after in_use, for the change alone
  LogSink sink;
};

// Never destroyed: threads of stores that outlive main() may still write.
Sink& process_sink() {
  static Sink& sink = []() -> Sink& {
    auto& made = *new Sink;
    // A fork does not wait for a sink, which may itself wait for the thread that forks. In the
    // child nobody calls the sink, whoever did so in the parent.
    hold_over_forks(made.changing, [&made] { new (&made.in_use) std::shared_mutex; });
    return made;
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
  const std::unique_lock lock(process_sink().in_use);
  const std::lock_guard change(process_sink().changing);
  process_sink().sink.swap(sink);
}

void log(const LogRecord& record) noexcept {
  try {
    const std::shared_lock lock(process_sink().in_use);
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
