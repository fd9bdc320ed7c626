// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// What threadkeep tells the program that it runs in, beside errors: that it works in the fallback,
/// say. Events and their fields are listed in docs/operation/observability.md.

namespace threadkeep {

enum class LogLevel { debug, info, warning, error };

/// "warning".
std::string_view to_string(LogLevel level) noexcept;

struct LogField {
  std::string key;
  std::string value;
};

/// One thing that happened. Holds no password and no payload.
struct LogRecord {
  LogLevel level = LogLevel::info;
  std::string event;    ///< The same each time it happens: "fallback_began".
  std::string message;  ///< A sentence for people.
  std::vector<LogField> fields;
};

/// Called from any thread, by several at once, never under a lock of a store. It must not call a
/// store; what it throws is dropped.
using LogSink = std::function<void(const LogRecord&)>;

/// Replaces the sink of the process; an empty one restores the first, which writes warnings and
/// errors to the standard error output. When it returns, the old one is called no more. Not to be
/// called by a sink. Thread-safe.
void set_log_sink(LogSink sink);

/// Gives a record to the sink of the process. Thread-safe.
void log(const LogRecord& record) noexcept;

}  // namespace threadkeep
