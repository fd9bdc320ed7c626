// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <threadkeep/threadkeep.hpp>
#include <vector>

namespace threadkeep::cli {

/// A checkpoint at its place in what happened.
struct StoryStep {
  std::size_t checkpoint = 0;  ///< Index into what story() was given.
  std::size_t depth = 0;       ///< How many forks it is away from the main line.
  bool forks = false;          ///< More than one checkpoint has it as parent.
};

/// The order in which to tell the checkpoints of one namespace: parents before children. The main
/// line leads to the latest checkpoint; where others fork from it, they are told first, one deeper.
/// Checkpoints whose parent is not among them begin lines of their own. Each is told once, whatever
/// the parents say.
std::vector<StoryStep> story(const std::vector<CheckpointTuple>& checkpoints);

}  // namespace threadkeep::cli
