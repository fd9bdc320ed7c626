// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/part_sink.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// Which threads go into an archive.
struct ExportSelection {
  std::vector<std::string> thread_ids;  ///< These, each of which must be there; or, when empty,
  std::vector<MetadataEquals> filter;   ///< all that have this metadata.
  bool skip_absent = false;             ///< Those that are not there are left out.
};

/// Thrown when a thread that was named is not there and may not be left out.
struct NoThread {
  std::string thread_id;
};

/// Hands one thread with everything of it to a sink; false when there is nothing of it. `info` is
/// what the store lists of it, if it does. `step` is called after each page that was read.
bool export_thread(Store& store, const std::string& thread_id,
                   const std::optional<ThreadInfo>& info, PartSink& sink, const Call& call,
                   const std::function<void()>& step);

/// Writes threads with everything of them to a sink, such as an archive, which the caller finishes.
/// `step` is called after each page that was read.
///
/// It holds a page of checkpoints, or one of them that is larger, and the keys of one thread's
/// blobs in memory. While others write: each checkpoint is whole and of one moment, with its values
/// and writes; everything that was in a thread when its turn began and is not deleted before its
/// end is in the archive; what comes in between may be. Throws Error or NoThread.
void export_threads(Store& store, const ExportSelection& selection, PartSink& sink,
                    const Call& call, const std::function<void()>& step);

/// How many threads a selection has now.
std::uint64_t count_threads(Store& store, const ExportSelection& selection, const Call& call);

}  // namespace threadkeep::ops
