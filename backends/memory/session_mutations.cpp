// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "memory/tables.hpp"

namespace threadkeep::memory {

namespace {

void count(Written& written, bool changed) {
  ++(changed ? written.changed : written.kept);
}

Message make_message(const std::string& stream, const NewMessage& message) {
  return {.stream = stream,
          .seq = 0,
          .id = message.id,
          .role = message.role,
          .content = message.content,
          .metadata = message.metadata,
          .created_at = 0,
          .version = 1};
}

void check_same(const Message& stored, const std::string& stream, const NewMessage& message) {
  if (is_same(stored, stream, message)) return;
  throw reused_message(message.id);
}

template <class Documents>
std::optional<StateDocument> find_document(const Documents& documents, const std::string& key) {
  const auto found = documents.find(key);
  if (found == documents.end()) return {};
  return found->second;
}

template <class Documents>
std::vector<StateOutcome> plan(const Documents& documents,
                               const std::vector<StateChange>& changes) {
  std::vector<StateOutcome> outcomes;
  outcomes.reserve(changes.size());
  for (const StateChange& change : changes) {
    outcomes.push_back(change_document(find_document(documents, change.key), change));
  }
  return outcomes;
}

template <class Documents>
void carry_out(Documents& documents, const std::vector<StateChange>& changes,
               const std::vector<StateOutcome>& outcomes, Written& written) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& document = outcomes[i].document;
    if (document) {
      documents[changes[i].key] = *document;
    } else {
      documents.erase(changes[i].key);
    }
    count(written, outcomes[i].changed);
    written.versions.push_back(document ? document->version : 0);
  }
}

}  // namespace

std::int64_t Tables::revision_of(const Thread& thread) {
  return thread.info ? thread.info->revision : 0;
}

// Ends a mutation of messages or state: counts it if it changed something.
void Tables::bump(const std::string& thread_id, Thread& thread, Written& written) {
  if (written.changed > 0) {
    touch(thread_id, thread);
    ++thread.info->revision;
  }
  written.revision = revision_of(thread);
}

const Message* Tables::find(const Thread& thread, const std::string& id) {
  const auto place = thread.places.find(id);
  if (place == thread.places.end()) return nullptr;
  const auto& [stream, seq] = place->second;
  return &thread.streams.at(stream).messages.at(seq);
}

void Tables::erase(Thread& thread, const Place& place) {
  auto& messages = thread.streams.at(place.first).messages;
  const auto found = messages.find(place.second);
  thread.places.erase(found->second.id);
  messages.erase(found);
}

const Written* Tables::find_done(const Thread& thread, const std::string& operation_id,
                                 std::uint64_t fingerprint) {
  const auto found = thread.operations.find(operation_id);
  if (found == thread.operations.end()) return nullptr;
  if (found->second.fingerprint != fingerprint) throw reused_operation(operation_id);
  return &found->second.written;
}

void Tables::remember(Thread& thread, const std::string& operation_id, std::uint64_t fingerprint,
                      const Written& written) {
  if (operation_id.empty() || written.changed == 0) return;
  std::erase_if(thread.operations, [&](const auto& entry) {
    return entry.second.written.revision <= written.revision - operation_memory;
  });
  thread.operations.insert_or_assign(operation_id, Operation{fingerprint, written});
}

// The messages of an append that are not there yet; one that comes twice comes once here.
std::vector<const NewMessage*> Tables::find_new(const Thread& thread,
                                                const AppendMessages& append) {
  std::vector<const NewMessage*> found;
  std::map<std::string, const NewMessage*> by_id;
  for (const NewMessage& message : append.messages) {
    if (const Message* stored = find(thread, message.id)) {
      check_same(*stored, append.stream, message);
    } else if (const auto [twin, fresh] = by_id.try_emplace(message.id, &message); !fresh) {
      check_same(make_message(append.stream, *twin->second), append.stream, message);
    } else {
      found.push_back(&message);
    }
  }
  return found;
}

void Tables::store(Thread& thread, const std::string& stream, const NewMessage& message) {
  Stream& target = thread.streams[stream];
  Message stored = make_message(stream, message);
  stored.seq = ++target.last_seq;
  stored.created_at = environment_.now();
  thread.places[stored.id] = {stream, stored.seq};
  target.messages.emplace(stored.seq, std::move(stored));
}

Written Tables::apply(const AppendMessages& append) {
  Thread& thread = threads_[append.thread_id];
  const bool named = !append.operation_id.empty();
  const std::uint64_t print = named ? fingerprint(append) : 0;
  if (const Written* done = find_done(thread, append.operation_id, print)) return *done;
  const auto fresh = find_new(thread, append);
  std::vector<StateOutcome> outcomes;
  if (fresh.empty()) {
    for (const StateChange& change : append.state) {
      outcomes.push_back({find_document(thread.state, change.key), false});
    }
  } else {
    check_revision(append, revision_of(thread));
    outcomes = plan(thread.state, append.state);
  }

  Written written{.changed = fresh.size(), .kept = append.messages.size() - fresh.size()};
  for (const NewMessage* message : fresh) store(thread, append.stream, *message);
  for (const NewMessage& message : append.messages) {
    written.messages.push_back(key_of(*find(thread, message.id)));
  }
  carry_out(thread.state, append.state, outcomes, written);
  bump(append.thread_id, thread, written);
  remember(thread, append.operation_id, print, written);
  return written;
}

Written Tables::apply(const UpdateMessage& update) {
  Thread& thread = threads_[update.thread_id];
  const Message* stored = find(thread, update.id);
  Written written;
  if (!stored) {
    check_update_of_absent(update);
    written.dropped = 1;
  } else {
    const auto changed = updated(*stored, update);
    if (changed) thread.streams.at(stored->stream).messages.at(stored->seq) = *changed;
    count(written, changed.has_value());
    written.messages.push_back(key_of(*find(thread, update.id)));
  }
  bump(update.thread_id, thread, written);
  return written;
}

Written Tables::apply(const RemoveMessages& removal) {
  Thread& thread = threads_[removal.thread_id];
  Written written;
  for (const std::string& id : removal.ids) {
    const auto place = thread.places.find(id);
    if (place == thread.places.end()) continue;
    erase(thread, Place(place->second));
    ++written.changed;
  }
  bump(removal.thread_id, thread, written);
  return written;
}

Written Tables::apply(const PopMessages& pop) {
  Thread& thread = threads_[pop.thread_id];
  const std::uint64_t print = fingerprint(pop);
  if (const Written* done = find_done(thread, pop.operation_id, print)) return *done;
  Written written;
  std::size_t bytes = 0;
  const auto stream = thread.streams.find(pop.stream);
  while (stream != thread.streams.end() && !stream->second.messages.empty()) {
    const Message& newest = stream->second.messages.rbegin()->second;
    bytes += weight(newest);
    if (written.changed == pop.count || (written.changed > 0 && bytes > max_pop_bytes)) break;
    written.messages.push_back(newest);
    ++written.changed;
    erase(thread, {pop.stream, newest.seq});
  }
  std::reverse(written.messages.begin(), written.messages.end());
  bump(pop.thread_id, thread, written);
  remember(thread, pop.operation_id, print, written);
  return written;
}

Written Tables::apply(const ClearMessages& clear) {
  Thread& thread = threads_[clear.thread_id];
  Written written;
  for (auto& [name, stream] : thread.streams) {
    if (clear.stream && *clear.stream != name) continue;
    written.changed += stream.messages.size();
    for (const auto& [seq, message] : stream.messages) thread.places.erase(message.id);
    stream.messages.clear();
  }
  bump(clear.thread_id, thread, written);
  return written;
}

Written Tables::apply(const ChangeState& change) {
  Written written;
  const auto& scope = change.scope;
  Documents& documents =
      scope.thread_id.empty() ? scopes_[scope.name] : threads_[scope.thread_id].state;
  carry_out(documents, change.changes, plan(documents, change.changes), written);
  if (!scope.thread_id.empty()) bump(scope.thread_id, threads_[scope.thread_id], written);
  return written;
}

void Tables::check_copy(const Thread& source, const Thread& target, const std::string& target_id) {
  if (target.streams.empty() || target.places == source.places) return;
  throw Error(Code::conflict, "target_thread_id '" + target_id +
                                  "' had messages of its own; choose another target or delete it "
                                  "first");
}

void Tables::copy_messages(const Thread& source, Thread& target, Written& written) {
  const std::size_t there = target.places.size();
  written.changed += source.places.size() - there;
  written.kept += there;
  target.places = source.places;
  for (const auto& [name, stream] : source.streams) {
    Stream& copy = target.streams[name];
    copy.last_seq = std::max(copy.last_seq, stream.last_seq);
    for (const auto& [seq, message] : stream.messages) copy.messages.try_emplace(seq, message);
  }
}

void Tables::copy_state(const Thread& source, Thread& target, Written& written) {
  for (const auto& [key, document] : source.state) {
    count(written, target.state.try_emplace(key, document).second);
  }
}

}  // namespace threadkeep::memory
