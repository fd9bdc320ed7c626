// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "connection.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::sqlite {

/// Reads all that the URL of a store says. Throws Error(invalid_argument).
Settings settings_of(Url& url);

}  // namespace threadkeep::sqlite
