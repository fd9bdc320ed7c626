// SPDX-License-Identifier: Apache-2.0
#include "memory/transfer.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "memory/retention.hpp"

namespace threadkeep::memory {

std::set<std::string> Tables::unlisted() const {
  std::set<std::string> ids;
  for (const auto& [id, thread] : threads_) {
    if (!thread.info) ids.insert(id);
  }
  return ids;
}

std::vector<std::string> Tables::scopes() const {
  std::vector<std::string> names;
  for (const auto& [name, documents] : scopes_) {
    if (!documents.empty()) names.push_back(name);
  }
  return names;
}

std::optional<std::string> Tables::tombstone(const std::string& thread_id) const {
  const Thread* thread = find_thread(thread_id);
  return thread != nullptr ? thread->tombstone : std::nullopt;
}

void Tables::apply(const ThreadNotesChange& change) {
  if (change.tombstone) {
    Thread& thread = threads_[change.thread_id];
    raise_tombstone(thread, *change.tombstone);
  }
  const auto found = threads_.find(change.thread_id);
  if (found == threads_.end() || !found->second.info) return;
  ThreadInfo& info = *found->second.info;
  info.created_at = change.created_at.value_or(info.created_at);
  info.updated_at = change.updated_at.value_or(info.updated_at);
}

namespace {

// Those after the cursor.
template <class Names>
Page<std::string> page_of(const Names& names, const std::string& cursor, std::size_t limit) {
  Page<std::string> page;
  for (auto at = std::upper_bound(names.begin(), names.end(), cursor); at != names.end(); ++at) {
    if (page.items.size() == limit) {
      page.next = page.items.back();
      break;
    }
    page.items.push_back(*at);
  }
  return page;
}

}  // namespace

std::vector<ThreadNotes> StoreTransfer::notes(const std::vector<std::string>& thread_ids,
                                              const Call&) {
  const std::shared_lock lock(mutex_);
  std::vector<ThreadNotes> all;
  all.reserve(thread_ids.size());
  for (const std::string& id : thread_ids) {
    ThreadNotes notes;
    notes.thread_id = id;
    notes.tombstone = tables_.tombstone(id);
    for (auto at = notes_.marks.lower_bound({id, "", ""});
         at != notes_.marks.end() && std::get<0>(*at) == id; ++at) {
      if (std::get<1>(*at) == "pin") notes.pinned = true;
      if (std::get<1>(*at) == "hold") notes.holds.push_back(std::get<2>(*at));
    }
    const auto expiry = notes_.expiry.find(id);
    if (expiry != notes_.expiry.end()) notes.expires_at = expiry->second;
    all.push_back(std::move(notes));
  }
  return all;
}

void StoreTransfer::change(const std::vector<ThreadNotesChange>& changes, const Call&) {
  const std::unique_lock lock(mutex_);
  for (const ThreadNotesChange& change : changes) tables_.apply(change);
}

Page<std::string> StoreTransfer::unlisted(const std::string& cursor, std::size_t limit,
                                          const Call&) {
  const std::shared_lock lock(mutex_);
  std::set<std::string> ids = tables_.unlisted();
  for (const auto& mark : notes_.marks) {
    if (!tables_.thread({std::get<0>(mark)})) ids.insert(std::get<0>(mark));
  }
  for (const auto& [id, at] : notes_.expiry) {
    if (!tables_.thread({id})) ids.insert(id);
  }
  return page_of(ids, cursor, limit);
}

Page<std::string> StoreTransfer::scopes(const std::string& cursor, std::size_t limit, const Call&) {
  const std::shared_lock lock(mutex_);
  return page_of(tables_.scopes(), cursor, limit);
}

}  // namespace threadkeep::memory
