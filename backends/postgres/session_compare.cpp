// SPDX-License-Identifier: Apache-2.0
// What SQL cannot decide: whether two JSON texts have one value, and what a merge makes of a
// document. The rows are read behind the lock, compared here, and then stored by the same
// statements that otherwise decide alone: each text that is equal to the stored one is replaced by
// it.
#include <algorithm>
#include <map>
#include <utility>

#include "mutations.hpp"
#include "session_rows.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::postgres {

namespace {

using Documents = std::map<std::string, StateDocument>;
using Kind = StateChange::Kind;

Documents read_documents(const Result& rows) {
  Documents documents;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto document = read_document(rows, row);
    documents.emplace(document.key, document);
  }
  return documents;
}

std::vector<std::string> keys_of(const std::vector<StateChange>& changes) {
  std::vector<std::string> keys;
  keys.reserve(changes.size());
  for (const StateChange& change : changes) keys.push_back(change.key);
  return keys;
}

std::vector<std::string> ids_of(const AppendMessages& append) {
  std::vector<std::string> ids;
  for (const NewMessage& message : append.messages) ids.push_back(message.id);
  return ids;
}

// Makes of every change a put or deletion whose outcome texts and versions decide.
void settle(std::vector<StateChange>& changes, const Documents& documents) {
  for (StateChange& change : changes) {
    const auto found = documents.find(change.key);
    const auto stored = found == documents.end() ? std::nullopt : std::optional(found->second);
    const StateOutcome outcome = change_document(stored, change);
    change.expected_version.reset();
    change.kind = outcome.document ? Kind::put : Kind::erase;
    change.value = outcome.document ? outcome.document->value : "";
  }
}

// True when all of them are there.
bool settle(AppendMessages& append, const Result& rows) {
  std::map<std::string, Message> stored;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto message = read_message(rows, row);
    stored.emplace(message.id, std::move(message));
  }
  bool all = true;
  for (NewMessage& message : append.messages) {
    const auto found = stored.find(message.id);
    all = all && found != stored.end();
    if (found == stored.end()) continue;
    if (!is_same(found->second, append.stream, message)) throw reused_message(message.id);
    message.content = found->second.content;
    message.metadata = found->second.metadata;
  }
  return all;
}

// Begins a transaction that has the scope for itself; its first two results are no rows.
Pipeline begin(const Writing& writing, const StateScope& scope) {
  Locks locks(writing.schema);
  scope.thread_id.empty() ? locks.own_name(scope.name) : locks.own(scope.thread_id);
  Pipeline pipeline;
  pipeline.add(writing.statements.begin);
  locks.take(pipeline, writing.statements);
  return pipeline;
}

std::vector<Result> commit(Pipeline& pipeline, Connection& connection, const Writing& writing,
                           const Call& call) {
  pipeline.add(writing.statements.commit);
  return pipeline.run(connection, Effect::commit, call);
}

void add_update(Pipeline& pipeline, const Writing& writing, const UpdateMessage& update,
                const Message& changed) {
  pipeline.add(writing.session.update)
      .text(update.thread_id)
      .text(update.id)
      .text(changed.metadata)
      .text(changed.content)
      .bigint(changed.version)
      .timestamp(writing.now)
      .timestamp(writing.now - touch_granularity);
}

}  // namespace

Written compare_append(Connection& connection, const Writing& writing, const AppendMessages& append,
                       const Call& call) {
  const auto& statements = writing.session;
  const auto scope = StateScope::of_thread(append.thread_id);
  Pipeline first = begin(writing, scope);
  first.add(statements.operation).text(append.thread_id).text(append.operation_id);
  first.add(statements.messages).text(append.thread_id).text_array(ids_of(append));
  first.add(statements.of_thread.find).text(append.thread_id).text_array(keys_of(append.state));
  const auto found = first.run(connection, Effect::none, call);
  AppendMessages settled = append;
  // What was done before is returned as it was, whatever is stored now.
  const bool done = !found[2].empty();
  if (!done && !settle(settled, found[3])) settle(settled.state, read_documents(found[4]));
  Pipeline second;
  const std::uint64_t print = append.operation_id.empty() ? 0 : fingerprint(append);
  const Reading read = add_append(second, writing, settled, print, true);
  return read(commit(second, connection, writing, call));
}

Written compare_state(Connection& connection, const Writing& writing, const ChangeState& change,
                      const Call& call) {
  const StateScope& scope = change.scope;
  Pipeline first = begin(writing, scope);
  first.add(writing.session.of(scope).find).text(scope.lane()).text_array(keys_of(change.changes));
  const auto found = first.run(connection, Effect::none, call);
  ChangeState settled = change;
  settle(settled.changes, read_documents(found[2]));
  Pipeline second;
  const Reading read = add_change_state(second, writing, settled, true);
  return read(commit(second, connection, writing, call));
}

Written update_message(Connection& connection, const Writing& writing, const UpdateMessage& update,
                       const Call& call) {
  const auto& statements = writing.session;
  Pipeline first = begin(writing, StateScope::of_thread(update.thread_id));
  first.add(statements.messages).text(update.thread_id).text_array({&update.id, 1});
  first.add(statements.revision).text(update.thread_id);
  const auto found = first.run(connection, Effect::none, call);
  Written written{.revision = found[3].empty() ? 0 : found[3].integer(0, 0)};
  std::optional<Message> changed;
  if (found[2].empty()) {
    check_update_of_absent(update);
    written.dropped = 1;
  } else {
    const Message stored = read_message(found[2], 0);
    changed = updated(stored, update);
    ++(changed ? written.changed : written.kept);
    written.messages.push_back(key_of(changed ? *changed : stored));
  }
  Pipeline second;
  if (changed) add_update(second, writing, update, *changed);
  const auto results = commit(second, connection, writing, call);
  if (changed) written.revision = results[0].integer(0, 0);
  return written;
}

}  // namespace threadkeep::postgres
