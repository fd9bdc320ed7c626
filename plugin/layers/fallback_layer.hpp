// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// Goes on in `journal` and in memory while `primary` cannot be reached; see
/// docs/operation/outages.md. The journal is taken by the first call. Throws
/// Error(invalid_argument) without FallbackOptions::open_memory and Error(unsupported) when
/// `journal` keeps none. Counts in Metrics::process().
std::unique_ptr<Backend> around_with_fallback(std::unique_ptr<Backend> primary,
                                              std::unique_ptr<Backend> journal,
                                              FallbackOptions options);

}  // namespace threadkeep
