// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <algorithm>

#include "threadkeep/model.hpp"

namespace threadkeep::soak {

namespace {

// All items of a list, page by page.
template <class Query, class Read>
auto all_of(Query query, const Read& read) {
  auto page = read(query);
  auto items = std::move(page.items);
  while (!page.next.empty()) {
    query.cursor = page.next;
    page = read(query);
    std::move(page.items.begin(), page.items.end(), std::back_inserter(items));
  }
  return items;
}

bool is_whole(const CheckpointTuple& tuple) {
  return tuple.values.size() == 1 &&
         tuple.values.front().data.view() == value_of(tuple.checkpoint_id);
}

}  // namespace

// Small ones and some that go another way.
std::string value_of(const std::string& checkpoint_id) {
  const bool large = checkpoint_id.back() == '7';
  return checkpoint_id + std::string(large ? 30'000 : 50, checkpoint_id.back());
}

void Ledger::take(const Entry& entry) {
  notes_[entry.kind == Entry::Kind::document ? entry.value : entry.id] = entry.how;
  switch (entry.kind) {
    case Entry::Kind::checkpoint:
      checkpoints_[entry.id] = entry.told;
      if (entry.told == Told::stored) latest_ = entry.id;
      break;
    case Entry::Kind::write:
      writes_[latest_][entry.id] = entry.told;
      break;
    case Entry::Kind::message:
      messages_[entry.id] = entry.told;
      if (entry.told == Told::stored) latest_message_ = entry.id;
      // A copy of it may come after a deletion too.
      if (entry.told == Told::stored && entry.late) late_.insert(entry.id);
      break;
    case Entry::Kind::document:
      take_document(entry);
      break;
    case Entry::Kind::deletion:
      deletion_ = entry.told;
      break;
  }
}

void Ledger::take_document(const Entry& entry) {
  auto& possible = documents_[entry.id];
  if (possible.empty()) possible.insert("");
  if (entry.told == Told::stored) possible.clear();
  if (entry.told != Told::refused) possible.insert(entry.value);
}

void Ledger::look_at_latest(Store& store, const Call& call,
                            std::vector<std::string>& problems) const {
  const auto complain = [&](const std::string& what) {
    problems.push_back(thread_id_ + ": " + what);
  };
  const auto tuple = store.get({thread_id_, "", {}, {}}, call);
  if (!tuple && !latest_.empty()) complain("nothing, after " + latest_ + " was acknowledged");
  if (tuple && tuple->checkpoint_id < latest_) {
    complain("read " + tuple->checkpoint_id + " after " + latest_ + " was acknowledged");
  }
  if (tuple && !is_whole(*tuple)) complain("a wrong value at " + tuple->checkpoint_id);
}

void Ledger::look_at_message(Store& store, const Call& call,
                             std::vector<std::string>& problems) const {
  if (latest_message_.empty() || store.message({thread_id_, latest_message_}, call)) return;
  problems.push_back(thread_id_ + ": message " + latest_message_ +
                     " was acknowledged and is not there");
}

void Ledger::compare(Store& store, std::vector<std::string>& problems) const {
  if (deletion_ == Told::unknown) return;
  compare_checkpoints(store, problems);
  compare_messages(store, problems);
  if (deletion_ == Told::refused) look_at_documents(store, Call(), problems);
}

void Ledger::compare(const std::string& kind, const Entries& entries,
                     const std::set<std::string>& found, std::vector<std::string>& problems) const {
  for (const auto& [id, told] : entries) {
    const bool is_there = found.contains(id);
    const bool must_be_there = told == Told::stored && deletion_ == Told::refused;
    const bool may_be_there = told == Told::unknown || must_be_there || late_.contains(id);
    if (must_be_there && !is_there) {
      problems.push_back(thread_id_ + ": lost: " + kind + " " + noted(id));
    } else if (is_there && !may_be_there) {
      problems.push_back(thread_id_ + ": should not be there, " +
                         (told == Told::refused ? "for it was refused: " : "for it was deleted: ") +
                         kind + " " + noted(id));
    }
  }
  for (const auto& id : found) {
    if (!entries.contains(id)) problems.push_back(thread_id_ + ": nobody sent " + kind + " " + id);
  }
}

std::string Ledger::noted(const std::string& id) const {
  const auto note = notes_.find(id);
  return "'" + id + "' (" + (note == notes_.end() ? "never sent" : note->second) + ")";
}

void Ledger::compare_checkpoints(Store& store, std::vector<std::string>& problems) const {
  CheckpointList query;
  query.thread_id = thread_id_;
  std::set<std::string> found;
  for (const auto& tuple : all_of(query, [&](const auto& q) { return store.list(q, Call()); })) {
    found.insert(tuple.checkpoint_id);
    if (!is_whole(tuple)) problems.push_back(thread_id_ + ": damaged: " + tuple.checkpoint_id);
    const auto entries = writes_.find(tuple.checkpoint_id);
    std::set<std::string> tasks;
    for (const auto& write : tuple.writes) tasks.insert(write.task_id);
    compare("write of " + tuple.checkpoint_id,
            entries == writes_.end() ? Entries() : entries->second, tasks, problems);
  }
  compare("checkpoint", checkpoints_, found, problems);
}

// Ids grow, so acknowledged messages must come in their order; each once.
void Ledger::compare_messages(Store& store, std::vector<std::string>& problems) const {
  MessageList query;
  query.thread_id = thread_id_;
  std::set<std::string> found;
  std::string last;
  for (const auto& message :
       all_of(query, [&](const auto& q) { return store.messages(q, Call()); })) {
    if (!found.insert(message.id).second) {
      problems.push_back(thread_id_ + ": twice: message " + message.id);
    }
    const auto entry = messages_.find(message.id);
    if (entry == messages_.end() || entry->second != Told::stored) continue;
    if (message.id < last) problems.push_back(thread_id_ + ": out of order: " + message.id);
    last = message.id;
  }
  compare("message", messages_, found, problems);
}

void Ledger::look_at_documents(Store& store, const Call& call,
                               std::vector<std::string>& problems) const {
  for (const auto& [key, possible] : documents_) {
    const auto document = store.state({{thread_id_, ""}, key}, call);
    const std::string value = document ? document->value : "";
    if (possible.contains(value)) continue;
    problems.push_back(thread_id_ + ": document " + key + " is " + noted(value) +
                       ", and was told to be " + noted(*possible.rbegin()));
  }
}

}  // namespace threadkeep::soak
