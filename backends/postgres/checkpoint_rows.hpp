// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "result.hpp"
#include "threadkeep/model.hpp"

/// \file
/// The rows in which get.sql and list.sql bring checkpoints. All have the same ten columns:
///
///     kind         0 checkpoint   1 value        2 pending write
///     item         its place in the page, from 1
///     text         checkpoint_id  channel        channel
///     text         parent id      version        task_id
///     text         thread_id      type           type
///     text         checkpoint_ns  items "1,2,9"  task_path
///     number       see below                     idx
///     payload                     data           data
///     document, metadata
///
/// A value that several checkpoints share is one row, whose `items` are all of them. The number of
/// a checkpoint tells how many there were before the page was cut by its bytes.

namespace threadkeep::postgres {

struct CheckpointRows {
  /// In the order of the page. Payloads share the memory of the result.
  std::vector<CheckpointTuple> tuples;
  /// Rows follow that did not fit.
  bool more = false;
};

CheckpointRows read_checkpoints(const Result& rows);

/// By (task_path, task_id, idx), bytewise.
void sort_writes(std::vector<PendingWrite>& writes);

}  // namespace threadkeep::postgres
