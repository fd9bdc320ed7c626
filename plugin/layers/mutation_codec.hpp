// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "threadkeep/bytes.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// What a journal keeps, as bytes: CBOR, an array of a version, a name and an object. Pure.

namespace threadkeep {

/// What is known of a thread beside the mutations that wait: what they build on. It is never sent
/// to a store.
struct LaneBase {
  StateScope scope;  ///< The thread, or the named scope.
  /// All of the thread is here, because it began here.
  bool complete = false;
  /// The latest checkpoint of namespaces, with its values and writes; none: there is none.
  std::map<std::string, std::optional<CheckpointTuple>> latest;
  /// Writes whose checkpoints are not there yet.
  std::vector<PutWrites> writes;
  /// Namespaces of which it is known that they have checkpoints that are not here.
  std::vector<std::string> hollow = {};
};

using JournalBody = std::variant<Mutation, LaneBase>;

/// What JournalRecord::kind says of a LaneBase; of a mutation it is operation_name().
inline constexpr char base_kind[] = "base";

Bytes encode(const Mutation& mutation);
Bytes encode(const LaneBase& base);

/// Throws Error(corrupt) for all but what encode() returns. The mutation has the right form;
/// whether a store accepts it is another question.
JournalBody decode_journal_body(std::string_view bytes);

}  // namespace threadkeep
