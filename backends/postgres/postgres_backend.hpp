// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::postgres {

/// The factory of `postgres:` and `postgresql:` URLs; see docs/storage/postgres.md.
std::unique_ptr<Backend> open(Url& url, const Environment& environment);

}  // namespace threadkeep::postgres
