// SPDX-License-Identifier: Apache-2.0
#include "story.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace threadkeep::cli {

namespace {

class Story {
 public:
  explicit Story(const std::vector<CheckpointTuple>& checkpoints) : checkpoints_(checkpoints) {
    for (std::size_t i = 0; i < checkpoints.size(); ++i) by_id_[id(i)] = i;
    for (std::size_t i = 0; i < checkpoints.size(); ++i) {
      const auto parent = parent_of(i);
      if (parent != none) children_[parent].push_back(i);
    }
    told_.resize(checkpoints.size());
    on_main_line_.resize(checkpoints.size());
  }

  std::vector<StoryStep> tell() {
    mark_main_line();
    std::vector<std::size_t> order;
    for (const auto& [id, index] : by_id_) order.push_back(index);
    for (const std::size_t index : order) {
      if (parent_of(index) == none) tell_from(index);
    }
    // Only checkpoints that are their own ancestors are left.
    for (const std::size_t index : order) tell_from(index);
    return std::move(steps_);
  }

 private:
  static constexpr auto none = static_cast<std::size_t>(-1);

  std::string_view id(std::size_t index) const { return checkpoints_[index].checkpoint_id; }

  std::size_t parent_of(std::size_t index) const {
    const auto& parent = checkpoints_[index].parent_checkpoint_id;
    if (!parent) return none;
    const auto found = by_id_.find(*parent);
    return found == by_id_.end() ? none : found->second;
  }

  void mark_main_line() {
    if (by_id_.empty()) return;
    auto at = by_id_.rbegin()->second;
    while (at != none && !on_main_line_[at]) {
      on_main_line_[at] = true;
      at = parent_of(at);
    }
  }

  // A stack instead of recursion: threads may have any number of checkpoints.
  void tell_from(std::size_t first) {
    std::vector<StoryStep> stack = {{first, 0, false}};
    while (!stack.empty()) {
      StoryStep step = stack.back();
      stack.pop_back();
      if (told_[step.checkpoint]) continue;
      told_[step.checkpoint] = true;
      auto next = children_[step.checkpoint];
      step.forks = next.size() > 1;
      steps_.push_back(step);
      // The line that goes on comes last: it is what stays at this depth.
      std::sort(next.begin(), next.end(), [this](auto a, auto b) {
        return std::pair(on_main_line_[a] == true, id(a)) <
               std::pair(on_main_line_[b] == true, id(b));
      });
      for (std::size_t i = next.size(); i-- > 0;) {
        stack.push_back({next[i], step.depth + (i + 1 < next.size() ? 1 : 0), false});
      }
    }
  }

  const std::vector<CheckpointTuple>& checkpoints_;
  std::map<std::string_view, std::size_t> by_id_;
  std::map<std::size_t, std::vector<std::size_t>> children_;
  std::vector<bool> told_;
  std::vector<bool> on_main_line_;
  std::vector<StoryStep> steps_;
};

}  // namespace

std::vector<StoryStep> story(const std::vector<CheckpointTuple>& checkpoints) {
  return Story(checkpoints).tell();
}

}  // namespace threadkeep::cli
