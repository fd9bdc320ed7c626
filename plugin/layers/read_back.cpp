// SPDX-License-Identifier: Apache-2.0
#include "layers/read_back.hpp"

#include <algorithm>

#include "overloaded.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep {

namespace {

bool demands(const StateChange& change) noexcept {
  return change.expected_version.has_value();
}

// What would be if only this write followed on the version that it expects. Others may have made
// the same of it, for versions do not say who made them.
bool is_next(std::int64_t version, std::int64_t expected) {
  return version == expected + 1;
}

// All or none: one that was not done, or was done by others, speaks for all.
Trace trace_of(Backend& backend, const ChangeState& mutation, const Call& call) {
  Trace trace = Trace::none;
  for (const StateChange& change : mutation.changes) {
    if (!demands(change)) continue;
    const Trace one = trace_of(change, backend.state({mutation.scope, change.key}, call));
    if (one == Trace::none) return one;
    trace = std::max(trace, one);
  }
  return trace;
}

}  // namespace

bool needs_read_back(const Mutation& mutation) noexcept {
  if (const auto* update = std::get_if<UpdateMessage>(&mutation)) {
    return update->expected_version.has_value();
  }
  const auto* state = std::get_if<ChangeState>(&mutation);
  return state && std::any_of(state->changes.begin(), state->changes.end(), demands);
}

bool can_be_repeated(const Mutation& mutation) {
  if (const auto* pop = std::get_if<PopMessages>(&mutation)) return !pop->operation_id.empty();
  if (const auto* append = std::get_if<AppendMessages>(&mutation)) {
    return !append->operation_id.empty() || append->expected_revision.has_value();
  }
  return may_come_late(mutation) || needs_read_back(mutation);
}

bool may_come_late(const Mutation& mutation) {
  if (std::holds_alternative<PutCheckpoint>(mutation)) return true;
  const auto* put = std::get_if<PutWrites>(&mutation);
  return put != nullptr && std::all_of(put->writes.begin(), put->writes.end(),
                                       [](const PendingWrite& write) { return write.idx >= 0; });
}

Trace trace_of(const StateChange& change, const std::optional<StateDocument>& document) {
  const std::int64_t expected = change.expected_version.value_or(0);
  const std::int64_t version = document ? document->version : 0;
  if (version == expected) return Trace::none;
  if (change.kind == StateChange::Kind::erase) return document ? Trace::unclear : Trace::alike;
  if (!is_next(version, expected)) return Trace::unclear;
  StateChange again = change;
  again.expected_version.reset();
  return change_document(document, again).changed ? Trace::none : Trace::alike;
}

Trace trace_of(const UpdateMessage& update, const std::optional<Message>& message) {
  const std::int64_t expected = update.expected_version.value_or(0);
  if (message && message->version == expected) return Trace::none;
  if (!message || !is_next(message->version, expected)) return Trace::unclear;
  UpdateMessage again = update;
  again.expected_version.reset();
  return updated(*message, again) ? Trace::none : Trace::alike;
}

Trace read_back(Backend& backend, const Mutation& mutation, const Call& call) {
  return std::visit(Overloaded{[&](const ChangeState& m) { return trace_of(backend, m, call); },
                               [&](const UpdateMessage& m) {
                                 return trace_of(m, backend.message({m.thread_id, m.id}, call));
                               },
                               [](const auto&) { return Trace::none; }},
                    mutation);
}

}  // namespace threadkeep
