// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <threadkeep/error.hpp>
#include <threadkeep/table_store.hpp>
#include <utility>

#include "migration/tier/plan.hpp"

namespace threadkeep::migration {

/// The source could not be read. An Error as it came from there, so that whoever reports it can
/// tell the two sides apart. Running out of time and being asked to stop are no such errors.
class SourceError : public Error {
 public:
  explicit SourceError(const Error& error) : Error(error) {}
};

/// Runs what reads the source; its errors become SourceErrors.
template <typename Read>
auto from_source(Read read) {
  try {
    return read();
  } catch (const Error& error) {
    if (error.code() == Code::cancelled || error.code() == Code::timeout) throw;
    throw SourceError(error);
  }
}

/// How large a batch may be.
struct BatchLimits {
  std::uint64_t rows = 50'000;
  std::size_t bytes = std::size_t{8} << 20;
};

/// The rows of one table, read in a thread of its own that is one batch ahead. Throws SourceError.
/// The snapshot is in use as long as this lives.
class ReadAhead {
 public:
  /// `look` is called with each batch by that thread, before next() hands it out.
  using Look = std::function<void(const tables::Batch&)>;
  ReadAhead(tables::Snapshot& snapshot, const tables::Table& table,
            tables::Snapshot::Selection selection, BatchLimits limits, const Call& call,
            Look look = {});
  /// Ends a read that is under way.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Absent after the last.
  std::optional<tables::Batch> next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a pass over a table reads.
tables::Snapshot::Selection selection_of(const TablePlan& plan, const Pass& pass,
                                         tables::Cursor from = {});

}  // namespace threadkeep::migration
