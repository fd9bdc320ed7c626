// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "threadkeep/backend.hpp"
#include "threadkeep/ids.hpp"

/// \file
/// The door of the store: everything a caller hands in is checked here, once, before a backend sees
/// it. All functions throw Error(invalid_argument) with the field and the remedy.

namespace threadkeep {

/// Gives an id to messages and pops that have none, so that what is sent again is known again.
void complete(Mutation& mutation, CheckpointIds& ids);

/// Checks a mutation and brings it into the form that is stored: U+0000 is stripped from metadata.
void validate(Mutation& mutation, const Capabilities& capabilities);

void validate(const CheckpointQuery& query);
void validate(const CheckpointList& query);
void validate(const HistoryQuery& query);
void validate(const ThreadList& query);
void validate(const LooseWritesQuery& query);
void validate(const MessageList& query);
void validate(const MessageQuery& query);
void validate(const StateQuery& query);
void validate(const StateList& query);
void validate(const ThreadQuery& query);

}  // namespace threadkeep
