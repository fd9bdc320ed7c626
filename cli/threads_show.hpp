// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads show`: what happened in a thread, step by step.
class ThreadsShow final : public StoreCommand {
 public:
  explicit ThreadsShow(CLI::App& threads);

 private:
  ExitStatus execute() override;
  /// The newest checkpoints, and whether there are older ones.
  std::vector<CheckpointTuple> read(Store& store, const Call& call, bool& more) const;

  std::string thread_id_;
  std::optional<std::string> ns_;
  std::size_t last_ = 50;
  bool all_ = false;
  bool values_ = false;
};

}  // namespace threadkeep::cli
