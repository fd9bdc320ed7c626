// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "threadkeep/backend.hpp"
#include "threadkeep/metrics.hpp"

namespace threadkeep {

/// Counts the calls of `inner` under `role`.
std::unique_ptr<Backend> around_with_metrics(std::unique_ptr<Backend> inner, std::string role,
                                             std::shared_ptr<Metrics> metrics);

}  // namespace threadkeep
