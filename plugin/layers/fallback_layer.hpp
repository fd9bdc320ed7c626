// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// Goes on in `journal` and in memory while `primary` cannot be reached.
std::unique_ptr<Backend> around_with_fallback(std::unique_ptr<Backend> primary,
                                              std::unique_ptr<Backend> journal,
                                              FallbackOptions options);

}  // namespace threadkeep
