// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// Numbers about what stores of this process do, for whoever wants to export them. Names, labels
/// and units are listed in docs/operation/observability.md.

namespace threadkeep {

/// Names and values, in the order of the metric's documentation.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Thread-safe, without locks.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Thread-safe, without locks.
class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// How often a time fell into each bucket. Thread-safe, without locks.
class Histogram {
 public:
  /// Upper limits of the buckets in seconds, each included in its bucket; one more bucket holds
  /// what is above the last.
  static constexpr std::array<double, 18> limits{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                 0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                                 0.5,     1,      2.5,     5,      10,    30};

  struct Values {
    std::array<std::uint64_t, limits.size() + 1> counts{};  ///< Of each bucket alone.
    std::uint64_t count = 0;                                ///< Their sum.
    double sum = 0;                                         ///< Seconds.
  };

  void observe(std::chrono::nanoseconds time) noexcept;
  /// While others observe, one observation may be in some of the numbers and not yet in others.
  Values values() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, limits.size() + 1> counts_{};
  std::atomic<std::int64_t> nanoseconds_{0};
};

/// All values of one metric at one moment.
struct MetricFamily {
  enum class Kind { counter, gauge, histogram };

  struct Sample {
    MetricLabels labels;
    double value = 0;             ///< Of counters and gauges.
    Histogram::Values histogram;  ///< Of histograms.
  };

  std::string name;
  std::string help;
  Kind kind = Kind::counter;
  std::vector<Sample> samples;
};

/// Where stores count. Thread-safe. What the functions return lives as long as this; fetch it once
/// and keep it, for fetching takes a lock.
class Metrics {
 public:
  /// Those of the process, which stores count in unless they are told otherwise. Never destroyed.
  static const std::shared_ptr<Metrics>& process();

  /// The one with this name and these labels, made by the first call. Throws
  /// Error(invalid_argument) when the name belongs to a metric of another kind.
  Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       const MetricLabels& labels = {});

  /// All of them, ordered by name.
  std::vector<MetricFamily> snapshot() const;

 private:
  // One of the three is set, by the family's kind.
  struct Cell {
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
  };
  struct Family {
    MetricFamily::Kind kind;
    std::string help;
    std::map<MetricLabels, Cell> cells;
  };

  Cell& cell(MetricFamily::Kind kind, std::string_view name, std::string_view help,
             const MetricLabels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace threadkeep
