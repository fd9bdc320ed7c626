// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "layers/fallback_route.hpp"
#include "layers/mutation_codec.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep {

using OpenMemory = std::function<std::unique_ptr<Backend>()>;

/// What is here of one lane: a base and the mutations since, and when it is needed a store in
/// memory made of both. Payloads are shared with whoever gave them. Not thread-safe.
class FallbackOverlay {
 public:
  /// `open` makes an empty store in memory; it must outlive this.
  FallbackOverlay(StateScope scope, const OpenMemory& open);

  const StateScope& scope() const noexcept { return base_.scope; }
  Reach reach() const noexcept;
  /// The latest checkpoint of the namespace is known.
  bool holds(const std::string& checkpoint_ns) const;
  /// The namespace had no checkpoint when it was read, and got none here: others may have begun it.
  bool was_empty(const std::string& checkpoint_ns) const;
  bool holds(const std::string& checkpoint_ns, const std::string& checkpoint_id) const;
  /// The namespace has, or may have, checkpoints that cannot be read whole.
  bool is_hollow(const std::string& checkpoint_ns) const;
  /// Whether it is known what the latest checkpoint was before the mutations, and which.
  bool knows_base(const std::string& checkpoint_ns) const;
  std::optional<std::string> base_id(const std::string& checkpoint_ns) const;
  const LaneBase& base() const noexcept { return base_; }
  /// About, without what is shared.
  std::size_t bytes() const noexcept { return bytes_; }

  /// What a get of the latest returned, with values and writes, after all mutations noted before.
  void install(const std::string& checkpoint_ns, const std::optional<CheckpointTuple>& latest);
  /// A checkpoint that the primary showed otherwise. When it is newer than the latest one that is
  /// known here, that is not known any more.
  void note_seen(const std::string& checkpoint_ns, const std::string& checkpoint_id);
  /// As it was when mutations began to wait, by an earlier process.
  void restore(LaneBase base);
  /// Something between the base and what is noted since is not known.
  void distrust();
  /// Nothing is known any more.
  void forget();

  /// The thread is new: its root namespace is empty, or `all` of it.
  void begin(bool all);
  /// A mutation was stored by the primary, if that changes what is here. Keeps the list short.
  void note_stored(const Mutation& mutation);
  /// A mutation waits.
  void note(const Mutation& mutation);
  /// Carries it out in memory alone; see note().
  Outcome apply(const Mutation& mutation, const Call& call);

  struct Mark {
    std::size_t mutations = 0;
    bool complete = false;
    bool knew_root = true;  ///< Before it was begun.
  };
  Mark mark() const { return {since_.size(), base_.complete, true}; }
  /// Undoes what was begun, noted and applied since.
  void roll_back(const Mark& mark);

  /// Folds the mutations into the base.
  void compact();
  /// Everything is stored by the primary, where others may change it.
  void end();

  /// The store in memory, made by the first call.
  Backend& store();

 private:
  void look_again();
  void look_at(const Mutation& mutation);
  void fill(Backend& store) const;

  const OpenMemory& open_;
  LaneBase base_;
  std::vector<Mutation> since_;
  std::unique_ptr<Backend> store_;
  // Of base_ and since_: by namespace the checkpoints that can be read whole.
  std::map<std::string, std::set<std::string>> held_;
  std::set<std::string> hollow_;
  bool is_distrusted_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace threadkeep
