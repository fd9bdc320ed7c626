// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/session_store.hpp"

#include <algorithm>
#include <iterator>

namespace threadkeep {

namespace {

ChangeState one_change(StateScope scope, std::string key, StateChange::Kind kind, std::string value,
                       std::optional<std::int64_t> expected_version) {
  return {std::move(scope), {{std::move(key), kind, std::move(value), expected_version}}};
}

}  // namespace

SessionStore::SessionStore(std::shared_ptr<Store> store) : store_(std::move(store)) {}

Written SessionStore::append(AppendMessages append, const Call& call) {
  return store_->write(std::move(append), call);
}

Written SessionStore::update(UpdateMessage update, const Call& call) {
  return store_->write(std::move(update), call);
}

Written SessionStore::remove(RemoveMessages removal, const Call& call) {
  return store_->write(std::move(removal), call);
}

Written SessionStore::pop(PopMessages pop, const Call& call) {
  return store_->write(std::move(pop), call);
}

Written SessionStore::clear(ClearMessages clear, const Call& call) {
  return store_->write(std::move(clear), call);
}

Page<Message> SessionStore::messages(const MessageList& query, const Call& call) {
  return store_->messages(query, call);
}

std::vector<Message> SessionStore::tail(const TailQuery& query, const Call& call) {
  return read_tail(*store_, query, call);
}

std::optional<Message> SessionStore::message(const MessageQuery& query, const Call& call) {
  return store_->message(query, call);
}

std::uint64_t SessionStore::count(const MessageList& query, const Call& call) {
  return store_->count_messages(query, call);
}

Written SessionStore::change_state(ChangeState change, const Call& call) {
  return store_->write(std::move(change), call);
}

Written SessionStore::put_state(StateScope scope, std::string key, std::string value,
                                std::optional<std::int64_t> expected_version, const Call& call) {
  return change_state(one_change(std::move(scope), std::move(key), StateChange::Kind::put,
                                 std::move(value), expected_version),
                      call);
}

Written SessionStore::merge_state(StateScope scope, std::string key, std::string patch,
                                  std::optional<std::int64_t> expected_version, const Call& call) {
  return change_state(one_change(std::move(scope), std::move(key), StateChange::Kind::merge,
                                 std::move(patch), expected_version),
                      call);
}

Written SessionStore::delete_state(StateScope scope, std::string key,
                                   std::optional<std::int64_t> expected_version, const Call& call) {
  return change_state(
      one_change(std::move(scope), std::move(key), StateChange::Kind::erase, {}, expected_version),
      call);
}

std::optional<StateDocument> SessionStore::state(const StateQuery& query, const Call& call) {
  return store_->state(query, call);
}

Page<StateDocument> SessionStore::states(const StateList& query, const Call& call) {
  return store_->states(query, call);
}

std::optional<ThreadInfo> SessionStore::thread(const ThreadQuery& query, const Call& call) {
  return store_->thread(query, call);
}

std::vector<Message> read_tail(Store& store, const TailQuery& query, const Call& call) {
  MessageList list;
  list.thread_id = query.thread_id;
  list.stream = query.stream;
  list.direction = Direction::backward;
  list.filter = query.filter;
  list.limit = query.count;
  std::vector<Message> newest;
  do {
    Page<Message> page = store.messages(list, call);
    std::move(page.items.begin(), page.items.end(), std::back_inserter(newest));
    list.cursor = page.next;
    list.limit = query.count - newest.size();
  } while (list.limit > 0 && !list.cursor.empty());
  std::reverse(newest.begin(), newest.end());
  return newest;
}

}  // namespace threadkeep
