// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace threadkeep::cli {

/// The exit status of every command, as docs/operation/cli.md promises it.
enum class ExitStatus {
  done = 0,
  failed = 1,  ///< The store said no, or could not be reached.
  usage = 2,   ///< The command, an option or the URL is wrong; nothing was tried.
};

}  // namespace threadkeep::cli
