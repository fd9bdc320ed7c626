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

void Ledger::checkpoint(const std::string& id, Told told) {
  checkpoints_[id] = told;
  if (told == Told::stored) latest_ = id;
}

void Ledger::write(const std::string& task_id, Told told) {
  writes_[latest_][task_id] = told;
}

void Ledger::message(const std::string& id, Told told) {
  messages_[id] = told;
  if (told == Told::stored) latest_message_ = id;
}

void Ledger::document(const std::string& key, const std::string& value, Told told) {
  auto& possible = documents_[key];
  if (possible.empty()) possible.insert("");
  if (told == Told::stored) possible.clear();
  if (told != Told::refused) possible.insert(value);
}

void Ledger::deletion(Told told) {
  deletion_ = told;
}

void Ledger::look(Store& store, const Call& call, std::vector<std::string>& problems) const {
  const auto complain = [&](const std::string& what) {
    problems.push_back(thread_id_ + ": " + what);
  };
  const auto tuple = store.get({thread_id_, "", {}, {}}, call);
  if (!tuple && !latest_.empty()) complain("nothing, after " + latest_ + " was acknowledged");
  if (tuple && tuple->checkpoint_id < latest_) {
    complain("read " + tuple->checkpoint_id + " after " + latest_ + " was acknowledged");
  }
  if (tuple && !is_whole(*tuple)) complain("a wrong value at " + tuple->checkpoint_id);
  if (!latest_message_.empty() && !store.message({thread_id_, latest_message_}, call)) {
    complain("message " + latest_message_ + " was acknowledged and is not there");
  }
  compare_documents(store, call, problems);
}

void Ledger::compare(Store& store, std::vector<std::string>& problems) const {
  if (deletion_ == Told::unknown) return;
  compare_checkpoints(store, problems);
  compare_messages(store, problems);
  if (deletion_ == Told::refused) compare_documents(store, Call(), problems);
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

void Ledger::compare_documents(Store& store, const Call& call,
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
