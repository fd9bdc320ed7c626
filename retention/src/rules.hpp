// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "threadkeep/retention/policy.hpp"

namespace threadkeep::retention {

/// What a store without functions of its own keeps as the text of its policies.
struct Rules {
  std::vector<Policy> policies;
  bool archive_required = false;  ///< Nothing may go without an archive.
  KeepTimes keep;
};

/// The array of to_json(), or an object with it as `policies` and with what is not as in Rules():
/// `archive`: "required", `tombstones` and `audit`.
std::string to_text(const Rules& rules);
/// Throws Error(invalid_argument).
Rules rules_from_text(const std::string& text);

/// What a sweep without an archive is told then.
inline constexpr char archive_is_required[] =
    "nothing may go from this store without an archive: say --archive DIRECTORY, or lift that by "
    "`threadkeep retention apply --archive optional`";

}  // namespace threadkeep::retention
