// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::memory {

/// Opens `memory:`: a new, empty store that ends with the process. It is the reference that the
/// other backends are tested against, so its code favours the obvious over the fast.
std::unique_ptr<Backend> open(Url& url, const Environment& environment);

}  // namespace threadkeep::memory
