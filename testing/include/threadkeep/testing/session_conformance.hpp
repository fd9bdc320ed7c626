// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/testing/conformance.hpp"

/// \file
/// The conformance suite for messages and state, for backends with Capabilities::sessions. Run like
/// the other one:
///
///     THREADKEEP_SESSION_CONFORMANCE(threadkeep::testing::backend_at("mine", "mine:{dir}/store"))

namespace threadkeep::testing {

/// The base of the cases for messages and state.
class SessionConformance : public Conformance {
 protected:
  /// Appends messages with these ids to the default stream; their content is the id as a string.
  Written append(const std::string& thread_id, const std::vector<std::string>& ids);
  Written pop(std::string thread_id, std::size_t count, std::string operation_id = {});
  Written put_state(StateScope scope, std::string key, std::string value,
                    std::optional<std::int64_t> expected_version = {});
  Written merge_state(StateScope scope, std::string key, std::string patch,
                      std::optional<std::int64_t> expected_version = {});
  Written delete_state(StateScope scope, std::string key,
                       std::optional<std::int64_t> expected_version = {});

  /// The messages of all pages.
  std::vector<Message> all_messages(MessageList query);
  std::vector<std::string> message_ids(MessageList query);
  std::vector<std::string> message_ids(const std::string& thread_id,
                                       const std::string& stream = {});
  /// A message that must be there; ends the case otherwise.
  Message message(const std::string& thread_id, const std::string& id);
  std::optional<StateDocument> state(const StateScope& scope, const std::string& key);
  /// "key value version" of each document of a scope.
  std::vector<std::string> documents(const StateScope& scope);
  std::int64_t revision(const std::string& thread_id);
};

/// A message whose content is its id as a string.
NewMessage new_message(std::string id, std::string role = "user", std::string metadata = "{}");
MessageList of_stream(std::string thread_id, std::string stream = {});
/// "id@seq" of each message.
std::vector<std::string> places(const std::vector<Message>& messages);

class Appends : public SessionConformance {};
class Filters : public SessionConformance {};
class MessageEdits : public SessionConformance {};
class MessagePages : public SessionConformance {};
class Pops : public SessionConformance {};
class SessionThreads : public SessionConformance {};
class States : public SessionConformance {};

/// Makes the linker keep the object files of the cases, which nothing else refers to.
bool keep_session_cases();

}  // namespace threadkeep::testing

/// Runs the suite on one or more BackendSpec. Once in a program, outside of any namespace.
#define THREADKEEP_SESSION_CONFORMANCE(...)                          \
  [[maybe_unused]] static const bool threadkeep_session_cases_kept = \
      threadkeep::testing::keep_session_cases();                     \
  namespace threadkeep_session_conformance {                         \
  THREADKEEP_CONFORMANCE_GROUP_(Appends, __VA_ARGS__)                \
  THREADKEEP_CONFORMANCE_GROUP_(Filters, __VA_ARGS__)                \
  THREADKEEP_CONFORMANCE_GROUP_(MessageEdits, __VA_ARGS__)           \
  THREADKEEP_CONFORMANCE_GROUP_(MessagePages, __VA_ARGS__)           \
  THREADKEEP_CONFORMANCE_GROUP_(Pops, __VA_ARGS__)                   \
  THREADKEEP_CONFORMANCE_GROUP_(SessionThreads, __VA_ARGS__)         \
  THREADKEEP_CONFORMANCE_GROUP_(States, __VA_ARGS__)                 \
  }
