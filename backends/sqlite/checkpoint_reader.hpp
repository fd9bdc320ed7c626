// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "threadkeep/model.hpp"

namespace threadkeep::sqlite {

/// A stored value, or nothing where there is none at that version.
std::optional<Blob> find_value(Connection& connection, const std::string& thread_id,
                               const std::string& checkpoint_ns, const std::string& channel,
                               const std::string& version);

/// The pending writes of a checkpoint, ordered by (task_path, task_id, idx).
std::vector<PendingWrite> read_writes(Connection& connection, const std::string& thread_id,
                                      const std::string& checkpoint_ns,
                                      const std::string& checkpoint_id);

/// Reads checkpoints with what belongs to them, inside one Snapshot. Values that several of them
/// share are read once and share one buffer. Not thread-safe.
class CheckpointReader {
 public:
  CheckpointReader(Connection& connection, Include include)
      : connection_(connection), include_(include) {}

  /// The checkpoint of a row that exists.
  CheckpointTuple read(std::int64_t rowid);

 private:
  // By channel and version.
  using Values = std::map<std::pair<std::string, std::string>, std::optional<Blob>>;

  std::vector<Blob> read_values(const CheckpointTuple& tuple);

  Connection& connection_;
  const Include include_;
  std::map<std::pair<std::string, std::string>, Values> values_;  // By thread and namespace.
};

}  // namespace threadkeep::sqlite
