// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/metrics.hpp"

#include <algorithm>

#include "fork_locks.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

void Histogram::observe(std::chrono::nanoseconds time) noexcept {
  const double seconds = std::chrono::duration<double>(time).count();
  const auto bucket = std::lower_bound(limits.begin(), limits.end(), seconds) - limits.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(time.count(), std::memory_order_relaxed);
}

Histogram::Values Histogram::values() const noexcept {
  Values values;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    values.counts[i] = counts_[i].load(std::memory_order_relaxed);
    values.count += values.counts[i];
  }
  values.sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
  return values;
}

const std::shared_ptr<Metrics>& Metrics::process() {
  static const std::shared_ptr<Metrics>& metrics = []() -> const std::shared_ptr<Metrics>& {
    // Never destroyed: threads of stores that outlive main() may still count.
    auto& made = *new std::shared_ptr<Metrics>(std::make_shared<Metrics>());
    // A gauge tells of the stores that are open, and those of the parent are not open in its child.
    hold_over_forks(made->mutex_, [all = made.get()] {
      for (auto& [name, family] : all->families_) {
        for (auto& [labels, cell] : family.cells) {
          if (cell.gauge) cell.gauge->set(0);
        }
      }
    });
    return made;
  }();
  return metrics;
}

Counter& Metrics::counter(std::string_view name, std::string_view help,
                          const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  auto& found = cell(MetricFamily::Kind::counter, name, help, labels).counter;
  if (!found) found = std::make_unique<Counter>();
  return *found;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  auto& found = cell(MetricFamily::Kind::gauge, name, help, labels).gauge;
  if (!found) found = std::make_unique<Gauge>();
  return *found;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  auto& found = cell(MetricFamily::Kind::histogram, name, help, labels).histogram;
  if (!found) found = std::make_unique<Histogram>();
  return *found;
}

Metrics::Cell& Metrics::cell(MetricFamily::Kind kind, std::string_view name, std::string_view help,
                             const MetricLabels& labels) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Family{kind, std::string(help), {}}).first;
  }
  if (family->second.kind != kind) {
    throw Error(Code::invalid_argument,
                "metric '" + std::string(name) + "' is of another kind already; use another name");
  }
  return family->second.cells[labels];
}

std::vector<MetricFamily> Metrics::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::vector<MetricFamily> families;
  families.reserve(families_.size());
  for (const auto& [name, family] : families_) {
    MetricFamily& copy = families.emplace_back(MetricFamily{name, family.help, family.kind, {}});
    for (const auto& [labels, cell] : family.cells) {
      MetricFamily::Sample& sample = copy.samples.emplace_back();
      sample.labels = labels;
      if (cell.counter) sample.value = static_cast<double>(cell.counter->value());
      if (cell.gauge) sample.value = static_cast<double>(cell.gauge->value());
      if (cell.histogram) sample.histogram = cell.histogram->values();
    }
  }
  return families;
}

}  // namespace threadkeep
