// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace threadkeep::cli {

/// The exit status of every command, as docs/operation/cli.md promises it.
enum class ExitStatus {
  done = 0,
  failed = 1,  ///< The store said no, or could not be reached.
  usage = 2,   ///< The command, an option or the URL is wrong; nothing was tried.
  // Of migrate-tier only.
  interrupted = 3,    ///< The copy ended in the middle; the same command goes on.
  source_failed = 4,  ///< The source could not be read.
  differs = 5,        ///< Source and target are not equal.
};

}  // namespace threadkeep::cli
