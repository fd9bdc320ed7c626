// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "threadkeep/backend.hpp"

namespace threadkeep {

/// What a store says about a write whose outcome is unknown.
enum class Trace {
  none,     ///< It was not carried out, or it cannot matter: it may be sent (again).
  alike,    ///< What it makes is there: it was carried out, or another that looks like it.
  unclear,  ///< Others went on from there, so nothing can be seen.
};

/// True for writes that a second sending can refuse because of the first: those that demand a
/// version of a document or message. For all others a second sending says what the first did. A
/// checkpoint or append that is stored already is recognised by its content whatever it demands,
/// and a pop by its operation_id.
bool needs_read_back(const Mutation& mutation) noexcept;

/// True for writes that may be sent a second time while nobody knows what became of the first. A
/// copy of the first may still be on its way: it must change nothing, also after the second one was
/// acknowledged and others came after it. So these have ids, a demand, or the name of an operation.
bool can_be_repeated(const Mutation& mutation);

/// Makes no difference when it is carried out a second time after later calls of its thread: ids
/// say what is newer, and tombstones what is gone. A copy of such a write may still be on its way.
bool may_come_late(const Mutation& mutation);

/// The trace of one change on the document as it is now.
Trace trace_of(const StateChange& change, const std::optional<StateDocument>& document);
/// The trace of an update on the message as it is now.
Trace trace_of(const UpdateMessage& update, const std::optional<Message>& message);

/// Looks for the trace of a write that needs_read_back().
Trace read_back(Backend& backend, const Mutation& mutation, const Call& call);

}  // namespace threadkeep
