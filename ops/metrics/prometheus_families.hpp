// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "threadkeep/metrics.hpp"

namespace threadkeep {

/// As prometheus-cpp has them.
std::vector<prometheus::MetricFamily> converted(const std::vector<MetricFamily>& families);

}  // namespace threadkeep
