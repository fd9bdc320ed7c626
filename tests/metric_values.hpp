// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "threadkeep/metrics.hpp"

namespace threadkeep::testing {

/// The sample with exactly these labels, if there is one.
inline std::optional<MetricFamily::Sample> sample_of(const Metrics& metrics, std::string_view name,
                                                     const MetricLabels& labels = {}) {
  for (const MetricFamily& family : metrics.snapshot()) {
    if (family.name != name) continue;
    for (const MetricFamily::Sample& sample : family.samples) {
      if (sample.labels == labels) return sample;
    }
  }
  return std::nullopt;
}

/// Of a counter or a gauge; -1 when there is none. For a histogram, how often it observed.
inline double value_of(const Metrics& metrics, std::string_view name,
                       const MetricLabels& labels = {}) {
  const auto sample = sample_of(metrics, name, labels);
  if (!sample) return -1;
  const auto observed = static_cast<double>(sample->histogram.count);
  return observed > 0 ? observed : sample->value;
}

}  // namespace threadkeep::testing
