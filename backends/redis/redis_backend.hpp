// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::redis {

/// The factory of `redis:`, `rediss:` and `redis+unix:` URLs, and of the same with `valkey`; see
/// docs/storage/redis.md.
std::unique_ptr<Backend> open(Url& url, const Environment& environment);

}  // namespace threadkeep::redis
