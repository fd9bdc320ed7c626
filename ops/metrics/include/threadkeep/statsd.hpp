// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "threadkeep/metrics.hpp"

/// \file
/// Metrics for StatsD. In the library threadkeep::exporters; see docs/operation/observability.md.

namespace threadkeep {

struct StatsdOptions {
  /// Where labels go: "threadkeep_queue_depth.sqlite:3|g", which every server understands, or
  /// "threadkeep_queue_depth:3|g|#backend:sqlite", as DogStatsD, Telegraf and others do.
  enum class Labels { in_name, as_tags };

  std::string address = "127.0.0.1:8125";  ///< HOST:PORT, or [ADDRESS]:PORT.
  Labels labels = Labels::in_name;
  std::chrono::milliseconds interval{10'000};  ///< Between two reports.
};

/// Sends what changed to a StatsD server over UDP, from a thread of its own until it is destroyed,
/// and then for a last time. Nobody says whether a packet arrived: what is lost is lost. A forked
/// child makes its own; to destroy the inherited one there does nothing. Thread-safe.
class StatsdReporter {
 public:
  /// Throws Error(invalid_argument) when there is no such address.
  explicit StatsdReporter(const StatsdOptions& options,
                          std::shared_ptr<Metrics> metrics = Metrics::process());
  ~StatsdReporter();
  StatsdReporter(const StatsdReporter&) = delete;
  StatsdReporter& operator=(const StatsdReporter&) = delete;

  /// Sends now what has changed since the last report. Throws Error(unsupported) in a forked child.
  void report();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep
