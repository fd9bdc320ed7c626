// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/session_conformance.hpp"

#include <stdexcept>

namespace threadkeep::testing {

Written SessionConformance::append(const std::string& thread_id,
                                   const std::vector<std::string>& ids) {
  AppendMessages append{.thread_id = thread_id,
                        .stream = {},
                        .messages = {},
                        .state = {},
                        .operation_id = {},
                        .expected_revision = {}};
  for (const auto& id : ids) append.messages.push_back(new_message(id));
  return write(std::move(append));
}

Written SessionConformance::pop(std::string thread_id, std::size_t count,
                                std::string operation_id) {
  return write(PopMessages{std::move(thread_id), "", count, std::move(operation_id)});
}

Written SessionConformance::put_state(StateScope scope, std::string key, std::string value,
                                      std::optional<std::int64_t> expected_version) {
  return write(
      ChangeState{std::move(scope),
                  {{std::move(key), StateChange::Kind::put, std::move(value), expected_version}}});
}

Written SessionConformance::merge_state(StateScope scope, std::string key, std::string patch,
                                        std::optional<std::int64_t> expected_version) {
  return write(ChangeState{
      std::move(scope),
      {{std::move(key), StateChange::Kind::merge, std::move(patch), expected_version}}});
}

Written SessionConformance::delete_state(StateScope scope, std::string key,
                                         std::optional<std::int64_t> expected_version) {
  return write(ChangeState{std::move(scope),
                           {{std::move(key), StateChange::Kind::erase, {}, expected_version}}});
}

std::vector<Message> SessionConformance::all_messages(MessageList query) {
  std::vector<Message> items;
  do {
    auto page = access().messages(query, Call{});
    std::move(page.items.begin(), page.items.end(), std::back_inserter(items));
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return items;
}

std::vector<std::string> SessionConformance::message_ids(MessageList query) {
  std::vector<std::string> ids;
  for (const auto& message : all_messages(std::move(query))) ids.push_back(message.id);
  return ids;
}

std::vector<std::string> SessionConformance::message_ids(const std::string& thread_id,
                                                         const std::string& stream) {
  return message_ids(of_stream(thread_id, stream));
}

Message SessionConformance::message(const std::string& thread_id, const std::string& id) {
  auto found = access().message({thread_id, id}, Call{});
  if (found) return std::move(*found);
  throw std::runtime_error("no message " + id + " in " + thread_id);
}

std::optional<StateDocument> SessionConformance::state(const StateScope& scope,
                                                       const std::string& key) {
  return access().state({scope, key}, Call{});
}

std::vector<std::string> SessionConformance::documents(const StateScope& scope) {
  StateList query;
  query.scope = scope;
  std::vector<std::string> lines;
  do {
    const auto page = access().states(query, Call{});
    for (const auto& document : page.items) {
      lines.push_back(document.key + " " + document.value + " " + std::to_string(document.version));
    }
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return lines;
}

std::int64_t SessionConformance::revision(const std::string& thread_id) {
  const auto found = access().thread({thread_id}, Call{});
  return found ? found->revision : 0;
}

NewMessage new_message(std::string id, std::string role, std::string metadata) {
  std::string content = json_string(id);
  return {std::move(id), std::move(role), std::move(content), std::move(metadata)};
}

MessageList of_stream(std::string thread_id, std::string stream) {
  MessageList query;
  query.thread_id = std::move(thread_id);
  query.stream = std::move(stream);
  return query;
}

std::vector<std::string> places(const std::vector<Message>& messages) {
  std::vector<std::string> lines;
  for (const auto& message : messages) {
    lines.push_back(message.id + "@" + std::to_string(message.seq));
  }
  return lines;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Appends);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Filters);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MessageEdits);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MessagePages);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Pops);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SessionThreads);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(States);

}  // namespace threadkeep::testing
