// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/reader.hpp"
#include "archive/thread_importer.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::ops {

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
