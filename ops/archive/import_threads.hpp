// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "archive/line.hpp"
#include "archive/reader.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// A thread that was not imported, or not all of it.
struct ImportProblem {
  std::string thread_id;
  Code code = Code::conflict;
  std::string message;
};

/// What an import did, or would do.
struct ImportReport {
  std::uint64_t restored = 0;   ///< Threads of which something was stored.
  std::uint64_t unchanged = 0;  ///< Threads that were there already.
  std::uint64_t failed = 0;     ///< Threads with a problem.
  Counts stored;                ///< Rows that were stored.
};

struct ImportOptions {
  bool dry_run = false;  ///< Only reads.
  std::function<void(const ImportProblem&)> problem = [](const ImportProblem&) {};
  /// After each thread, with what has been done so far.
  std::function<void(const ImportReport&)> step = [](const ImportReport&) {};
};

/// Stores the threads of an archive as they were, thread by thread, each after all of it was found
/// right and without conflict; see compare(). A thread with a problem is told and the others go on.
/// May be run again at any time: what is there already stays. Nobody else may write to these
/// threads meanwhile.
///
/// Throws Error(corrupt) or Error(unsupported) at the first thread that is damaged; those before it
/// are stored by then. Throws the error of a store that cannot go on; every thread is then stored
/// wholly, in part or not, and running it again stores the rest.
ImportReport import_threads(Store& store, ArchiveReader& reader, const Call& call,
                            const ImportOptions& options);

}  // namespace threadkeep::ops
