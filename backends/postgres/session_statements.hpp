// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layout.hpp"
#include "rows_statement.hpp"
#include "statement.hpp"
#include "threadkeep/session_model.hpp"

namespace threadkeep::postgres {

/// What is done with the documents of one kind of scope. The first parameter is the scope.
struct DocumentStatements {
  /// Parameters: see add_changes() in session_writes.cpp; of a thread, now and what is stale then.
  Statement change;
  Statement find;  ///< Parameters: keys.
  Statement list;  ///< Parameters: the key to go on after, rows, bytes.
};

/// Statements of pages of messages, in each direction. Parameters: thread_id, stream, rows, bytes.
struct PageStatements {
  Statement page;     ///< And both ends of the seqs, excluded.
  Statement scan;     ///< As page, without contents.
  Statement by_seqs;  ///< And the seqs.
};

/// The statements of messages and state, made for one layout. Const use is thread-safe.
struct SessionStatements {
  explicit SessionStatements(const Layout& layout);

  RowsStatement append;
  Statement update;
  Statement remove;
  Statement pop;
  Statement clear;
  Statement clear_stream;
  DocumentStatements of_thread;
  DocumentStatements of_name;

  /// Parameters: thread_id, ids.
  Statement messages;
  Statement count;
  Statement streams;  ///< Parameter: thread_id.
  Statement revision;
  /// One row when the thread remembers the operation.
  Statement operation;
  /// Around statements of several round trips that are to see one moment.
  Statement begin_snapshot;
  Statement end_snapshot;
  PageStatements forward;
  PageStatements backward;

  const DocumentStatements& of(const StateScope& scope) const {
    return scope.thread_id.empty() ? of_name : of_thread;
  }
  const PageStatements& in(Direction direction) const {
    return direction == Direction::forward ? forward : backward;
  }
};

}  // namespace threadkeep::postgres
