// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "mutations.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::postgres {

namespace {

using Kind = StateChange::Kind;

void add_times(Parameters& parameters, const Writing& writing) {
  parameters.timestamp(writing.now).timestamp(writing.now - touch_granularity);
}

std::int64_t stored_form(std::uint64_t hash) {
  return static_cast<std::int64_t>(hash);
}

// ---- State ----

void add_changes(Parameters& parameters, const std::vector<StateChange>& changes, bool compared) {
  std::vector<std::string> keys;
  std::vector<std::int64_t> kinds;
  std::vector<std::string> values;
  std::vector<std::int64_t> hashes;
  std::vector<std::int64_t> expected;
  for (const StateChange& change : changes) {
    const bool put = change.kind == Kind::put;
    keys.push_back(change.key);
    kinds.push_back(static_cast<std::int64_t>(change.kind));
    values.push_back(put ? change.value : "");
    hashes.push_back(put ? stored_form(value_hash(change.value)) : 0);
    expected.push_back(change.expected_version.value_or(-1));
  }
  parameters.text_array(keys).bigint_array(kinds).text_array(values);
  parameters.bigint_array(hashes).bigint_array(expected).boolean(compared);
}

// Throws the conflict that the statement has found.
[[noreturn]] void refuse(const StateChange& change, std::int64_t version, std::string value) {
  std::optional<StateDocument> stored;
  if (version > 0) stored = StateDocument{change.key, std::move(value), version};
  static_cast<void>(change_document(stored, change));
  throw Error(Code::internal, "a conflict of state was found where there is none");
}

// A row for each change, one at least: verdict, doubt, revision, and of the change its outcome, the
// version before it and, where that is a conflict, the value.
Written read_change_state(const std::vector<StateChange>& changes, const Result& rows) {
  const bool conflict = rows.view(0, 0) == "state";
  Written written{.revision = rows.integer(0, 2)};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::string_view outcome = rows.view(i, 3);
    const std::int64_t version = rows.integer(i, 4);
    if (outcome == "conflict") refuse(changes[i], version, rows.text(i, 5));
    ++(conflict || outcome == "keep" ? written.kept : written.changed);
    written.versions.push_back(outcome == "put" ? version + 1 : outcome == "erase" ? 0 : version);
  }
  return written;
}

// ---- Messages ----

Message as_stored(const std::string& stream, const NewMessage& message) {
  Message stored;
  stored.stream = stream;
  stored.role = message.role;
  stored.content = message.content;
  stored.metadata = message.metadata;
  return stored;
}

// A statement must not insert an id twice. The others of that id are kept.
struct Distinct {
  std::vector<const NewMessage*> rows;
  std::vector<std::int64_t> places;    // for each message: its row, from 1
  const NewMessage* misfit = nullptr;  // has the id of another, which is not the same
};

Distinct distinct(const AppendMessages& append) {
  Distinct distinct;
  std::map<std::string_view, std::int64_t> by_id;
  for (const NewMessage& message : append.messages) {
    const auto next = static_cast<std::int64_t>(distinct.rows.size()) + 1;
    const auto [found, fresh] = by_id.try_emplace(message.id, next);
    distinct.places.push_back(found->second);
    if (fresh) {
      distinct.rows.push_back(&message);
      continue;
    }
    const NewMessage& first = *distinct.rows[static_cast<std::size_t>(found->second) - 1];
    if (!is_same(as_stored(append.stream, first), append.stream, message)) {
      distinct.misfit = &message;
    }
  }
  return distinct;
}

void add_rows(Parameters& parameters, const std::vector<const NewMessage*>& rows) {
  std::int64_t place = 0;
  for (const NewMessage* message : rows) {
    parameters.bigint(++place).text(message->id).text(message->role);
    parameters.text(message->metadata).text(message->content);
  }
}

// One row: verdict, doubt, what was written, revision, and of the first conflict of state its
// number among the changes, from 1, version and value.
Written read_append(const AppendMessages& append, const NewMessage* misfit, const Result& row) {
  const std::string_view verdict = row.view(0, 0);
  if (verdict == "operation") throw reused_operation(append.operation_id);
  if (verdict == "message") throw reused_message(misfit->id);
  if (verdict == "revision") check_revision(append, row.integer(0, 3));
  if (verdict == "state") {
    const auto place = static_cast<std::size_t>(row.integer(0, 4));
    refuse(append.state.at(place - 1), row.integer(0, 5), row.text(0, 6));
  }
  return decode_written(row.view(0, 2));
}

Reading read_removal() {
  return [](std::span<const Result> results) {
    return Written{.changed = static_cast<std::uint64_t>(results[0].integer(0, 0)),
                   .revision = results[0].integer(0, 1)};
  };
}

}  // namespace

bool needs_comparison(const std::vector<StateChange>& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const StateChange& change) { return change.kind == Kind::merge; });
}

Reading add_append(Pipeline& pipeline, const Writing& writing, const AppendMessages& append) {
  const std::uint64_t print = append.operation_id.empty() ? 0 : fingerprint(append);
  return add_append(pipeline, writing, append, print, false);
}

Reading add_append(Pipeline& pipeline, const Writing& writing, const AppendMessages& append,
                   std::uint64_t print, bool compared) {
  const Distinct messages = distinct(append);
  Parameters& parameters = pipeline.add(writing.session.append, messages.rows.size());
  parameters.text(append.thread_id);
  add_changes(parameters, append.state, compared);
  add_times(parameters, writing);
  parameters.text(append.stream).text(append.operation_id).bigint(stored_form(print));
  append.expected_revision ? parameters.bigint(*append.expected_revision) : parameters.null();
  parameters.boolean(messages.misfit != nullptr).bigint_array(messages.places);
  add_rows(parameters, messages.rows);
  return [&append, misfit = messages.misfit](std::span<const Result> results) {
    return read_append(append, misfit, results[0]);
  };
}

Reading add_change_state(Pipeline& pipeline, const Writing& writing, const ChangeState& change) {
  return add_change_state(pipeline, writing, change, false);
}

Reading add_change_state(Pipeline& pipeline, const Writing& writing, const ChangeState& change,
                         bool compared) {
  const StateScope& scope = change.scope;
  Parameters& parameters = pipeline.add(writing.session.of(scope).change).text(scope.lane());
  add_changes(parameters, change.changes, compared);
  if (!scope.thread_id.empty()) add_times(parameters, writing);
  return [&change](std::span<const Result> results) {
    return read_change_state(change.changes, results[0]);
  };
}

Reading add_pop(Pipeline& pipeline, const Writing& writing, const PopMessages& pop) {
  Parameters& parameters = pipeline.add(writing.session.pop).text(pop.thread_id).text(pop.stream);
  parameters.bigint(static_cast<std::int64_t>(pop.count)).bigint(max_pop_bytes);
  parameters.text(pop.operation_id).bigint(stored_form(fingerprint(pop)));
  add_times(parameters, writing);
  return [&pop](std::span<const Result> results) {
    if (results[0].view(0, 0) == "operation") throw reused_operation(pop.operation_id);
    return decode_written(results[0].view(0, 1));
  };
}

Reading add_remove(Pipeline& pipeline, const Writing& writing, const RemoveMessages& removal) {
  Parameters& parameters = pipeline.add(writing.session.remove).text(removal.thread_id);
  add_times(parameters, writing);
  parameters.text_array(removal.ids);
  return read_removal();
}

Reading add_clear(Pipeline& pipeline, const Writing& writing, const ClearMessages& clear) {
  const auto& statements = writing.session;
  Parameters& parameters =
      pipeline.add(clear.stream ? statements.clear_stream : statements.clear).text(clear.thread_id);
  add_times(parameters, writing);
  if (clear.stream) parameters.text(*clear.stream);
  return read_removal();
}

}  // namespace threadkeep::postgres
