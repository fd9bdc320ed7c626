// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// What every backend must decide alike about messages and state, for authors of backends. All
/// functions are pure.

namespace threadkeep {

/// An operation_id is remembered until the thread has this many revisions more.
inline constexpr std::int64_t operation_memory = 1000;

/// A filter, parsed once. Const use is thread-safe.
class MessageFilter {
 public:
  /// Throws Error(invalid_argument); see Filter.
  explicit MessageFilter(const Filter& filter);
  ~MessageFilter();
  MessageFilter(MessageFilter&&) noexcept;
  MessageFilter& operator=(MessageFilter&&) noexcept;

  /// True when every message passes.
  bool empty() const noexcept;
  bool matches(std::string_view role, std::string_view metadata) const;

 private:
  struct Node;
  std::unique_ptr<const Node> root_;
};

/// The position of a cursor over messages, whose only part is a seq.
std::int64_t read_seq_cursor(const CursorCodec& codec, std::string_view cursor);

/// The sizes by which max_bytes and max_pop_bytes count.
std::size_t weight(const Message& message) noexcept;
std::size_t weight(const StateDocument& document) noexcept;

/// A message without role, content and metadata, as appends return it.
Message key_of(const Message& message);

/// True when an append of `message` finds what it would have stored.
bool is_same(const Message& stored, std::string_view stream, const NewMessage& message);

/// What an update makes of a stored message, with its new version; empty when it changes nothing.
/// Throws Error(conflict) when the expected version is another.
std::optional<Message> updated(const Message& stored, const UpdateMessage& update);

/// Throws Error(conflict) when the update expects a version, for its message is absent.
void check_update_of_absent(const UpdateMessage& update);

/// The error for a message id that the thread has with other content.
Error reused_message(std::string_view id);

/// Throws Error(conflict) when the append expects another revision.
void check_revision(const AppendMessages& append, std::int64_t revision);

/// A document after a change.
struct StateOutcome {
  std::optional<StateDocument> document;  ///< Empty: it is absent.
  bool changed = false;
};

/// Carries out a change on the stored document, if any. Throws Error(conflict) when the expected
/// version is another.
StateOutcome change_document(const std::optional<StateDocument>& stored, const StateChange& change);

/// Equal JSON values have the same, others hardly ever. It may be stored: it does not change.
std::uint64_t value_hash(std::string_view json);

/// Covers what must be equal in two operations with one operation_id.
std::uint64_t fingerprint(const AppendMessages& append);
std::uint64_t fingerprint(const PopMessages& pop);

/// The error for an operation_id that was used with another fingerprint.
Error reused_operation(std::string_view operation_id);

/// What an operation did, as JSON, to be returned when it is repeated.
std::string encode_written(const Written& written);
/// Throws Error(corrupt).
Written decode_written(std::string_view text);

}  // namespace threadkeep
