// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layout.hpp"
#include "rows_statement.hpp"
#include "statement.hpp"

namespace threadkeep::postgres {

/// The statements of mutations. Const use is thread-safe.
struct WriteStatements {
  explicit WriteStatements(const Layout& layout);

  Statement begin;
  Statement commit;
  Statement lock;
  Statement locks;

  RowsStatement put;
  RowsStatement put_latest;
  RowsStatement put_blobs;
  RowsStatement put_writes;
  Statement put_thread;

  Statement delete_thread;
  /// Comes before threads_of_runs, in its transaction: lets it read the table as it lies on the
  /// disk where there is no index over runs. Connections would rather go through another index.
  Statement scan_for_runs;
  bool runs_indexed;
  Statement threads_of_runs;
  Statement nodes_of_threads;
  Statement delta_values;
  Statement erase_checkpoints;
  Statement erase_old_writes;
  Statement collect_blobs;

  Statement copy_thread;
};

}  // namespace threadkeep::postgres
