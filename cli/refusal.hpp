// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "exit_status.hpp"

namespace threadkeep::cli {

/// Why a command cannot go on, where the store itself did nothing wrong. Reported as an Error is.
struct Refusal {
  ExitStatus status;
  std::string code;  ///< "not_found": for programs.
  std::string message;
};

}  // namespace threadkeep::cli
