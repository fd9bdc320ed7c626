// SPDX-License-Identifier: Apache-2.0
#include "archive/import_threads.hpp"

#include "archive/comparison.hpp"

namespace threadkeep::ops {

namespace {

void import_all(ArchiveReader& reader, Store& store, ThreadImporter& importer, const Call& call,
                const ImportOptions& options) {
  while (const auto thread = reader.next()) {
    importer.add(*thread, compare(store, *thread, call), call);
    options.step(importer.report());
  }
}

}  // namespace

ImportReport import_threads(Store& store, ArchiveReader& reader, const Call& call,
                            const ImportOptions& options) {
  ThreadImporter importer(store, options);
  try {
    import_all(reader, store, importer, call, options);
  } catch (const Error& error) {
    if (error.code() != Code::corrupt && error.code() != Code::unsupported) throw;
    importer.flush(call);
    options.step(importer.report());
    throw;
  }
  importer.flush(call);
  return importer.report();
}

}  // namespace threadkeep::ops
