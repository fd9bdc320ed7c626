// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_contents.hpp"

#include <utility>

#include "archive/export_threads.hpp"
#include "archive/thread_collector.hpp"
#include "migration/tier/postgres_transfer.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::size_t threads_at_once = 200;
constexpr std::size_t names_at_once = 1000;

}  // namespace

StoreContents::StoreContents(Store& store, Side side) : store_(store), side_(side) {
  if (SqlHost* sql = store.sql()) {
    own_ = std::make_unique<PostgresTransfer>(*sql);
    transfer_ = own_.get();
  } else if (retention::Host* host = store.retention()) {
    transfer_ = host->transfer();
  }
}

StoreContents::~StoreContents() = default;

std::optional<ReadThread> StoreContents::thread(const std::string& thread_id,
                                                const std::optional<ThreadInfo>& info,
                                                const Call& call) const {
  return read([&]() -> std::optional<ReadThread> {
    ops::ThreadCollector collector;
    if (!ops::export_thread(store_, thread_id, info, collector, call, [] {})) return {};
    auto thread = collector.take();
    if (!thread) return {};
    return ReadThread{std::move(*thread), collector.bytes()};
  });
}

void StoreContents::each_page(const UseThreads& use, const Call& call) const {
  ThreadList query{.filter = {}, .limit = threads_at_once, .cursor = {}};
  do {
    auto page = read([&] { return store_.threads(query, call); });
    std::vector<FoundThread> found;
    found.reserve(page.items.size());
    for (ThreadInfo& info : page.items) found.push_back({info.thread_id, std::move(info)});
    if (!found.empty()) use(found);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  if (transfer_ != nullptr) each_unlisted_page(use, call);
}

void StoreContents::each_unlisted_page(const UseThreads& use, const Call& call) const {
  std::string cursor;
  do {
    std::vector<FoundThread> found;
    auto page = read([&] {
      auto names = transfer_->unlisted(cursor, threads_at_once, call);
      for (std::string& id : names.items) {
        if (!store_.thread({id}, call)) found.push_back({std::move(id), {}});
      }
      return names;
    });
    if (!found.empty()) use(found);
    cursor = page.next;
  } while (!cursor.empty());
}

void StoreContents::each_scope(const UseScope& use, const Call& call) const {
  if (transfer_ == nullptr || !store_.capabilities().sessions) return;
  std::string cursor;
  do {
    const auto page = read([&] { return transfer_->scopes(cursor, names_at_once, call); });
    for (const std::string& name : page.items) use(name);
    cursor = page.next;
  } while (!cursor.empty());
}

std::vector<ThreadNotes> StoreContents::notes(const std::vector<FoundThread>& threads,
                                              const Call& call) const {
  std::vector<std::string> ids;
  ids.reserve(threads.size());
  for (const FoundThread& thread : threads) ids.push_back(thread.thread_id);
  if (transfer_ != nullptr) return read([&] { return transfer_->notes(ids, call); });
  std::vector<ThreadNotes> notes(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) notes[i].thread_id = std::move(ids[i]);
  return notes;
}

}  // namespace threadkeep::migration
