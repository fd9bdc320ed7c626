// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "reply.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::redis {

/// The error that a server answered with, as ours. `native` becomes its first word.
Error make_error(std::string_view text);

/// The same reply; throws it when it is an error.
const Reply& checked(const Reply& reply);

}  // namespace threadkeep::redis
