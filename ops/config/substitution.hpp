// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace threadkeep::ops {

/// `text` with `${NAME}` replaced by a variable, `${NAME:-default}` by it or, where it is not set
/// or empty, by the default, and `$$` by a `$`. A default holds neither `}` nor variables. What is
/// wrong is added to `problems`, without values. Replaced once: a value that looks like a variable
/// stays as it is.
std::string substitute(std::string_view text, const Variables& variables,
                       std::vector<std::string>& problems);

}  // namespace threadkeep::ops
