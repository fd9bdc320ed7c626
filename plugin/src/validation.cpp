// SPDX-License-Identifier: Apache-2.0
#include "validation.hpp"

#include <set>

#include "json.hpp"
#include "text.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep {

namespace {

enum class Empty { allowed, refused };

[[noreturn]] void refuse(std::string_view field, const std::string& why) {
  throw Error(Code::invalid_argument, beginning_of(field) + " " + why);
}

void check_text(std::string_view field, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) refuse(field, "must not contain U+0000");
  if (!is_utf8(text)) refuse(field, "must be UTF-8");
}

void check_id(std::string_view field, std::string_view id, Empty empty = Empty::allowed) {
  if (empty == Empty::refused && id.empty()) refuse(field, "must not be empty");
  if (id.size() > max_id_bytes) {
    refuse(field, "is " + std::to_string(id.size()) + " bytes long; at most " +
                      std::to_string(max_id_bytes) + " are allowed");
  }
  check_text(field, id);
}

void check_size(std::string_view field, std::size_t size, std::size_t limit) {
  if (size <= limit) return;
  refuse(field, "is " + std::to_string(size) + " bytes long; this store's max_value_bytes is " +
                    std::to_string(limit) + "; keep large values elsewhere and store a reference");
}

void check_key(const std::string& thread_id, const std::string& checkpoint_ns) {
  check_id("thread_id", thread_id, Empty::refused);
  check_id("checkpoint_ns", checkpoint_ns);
}

void check_optional_id(std::string_view field, const std::optional<std::string>& id) {
  if (id) check_id(field, *id, Empty::refused);
}

// A blob is found by the text of its version, and a column of JSON may spell these another way.
bool has_two_spellings(std::string_view number) {
  const auto digits = number.find_first_not_of("-0.");
  const bool zero = digits == std::string_view::npos;
  return number.find_first_of("eE") != std::string_view::npos || (zero && number[0] == '-');
}

// Looks at the text of each version: the content of a string may begin with a bracket.
void check_versions(std::string_view versions) {
  for (const auto& [channel, raw] : json_members(versions)) {
    const bool number_or_string =
        !raw.empty() && (raw[0] == '"' || raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'));
    if (!number_or_string) {
      refuse("document.channel_versions." + channel, "must be a string or a number");
    }
    if (raw[0] != '"' && has_two_spellings(raw)) {
      refuse("document.channel_versions." + channel,
             "must be a number without an exponent and no negative zero; write 1000, or a string");
    }
  }
}

void check_channels(std::string_view field, std::size_t count) {
  if (count <= max_channels) return;
  refuse(field, "has " + std::to_string(count) + " entries; at most " +
                    std::to_string(max_channels) +
                    " are allowed: keep a large collection in one channel");
}

// Before memory is taken for each of them.
void check_members(std::string_view field, std::string_view object) {
  constexpr std::size_t shortest = 5;  // "":0,
  if (object.size() / shortest >= max_channels) check_channels(field, json_size(object));
}

void check_document(const std::string& document) {
  check_json_object("document", document);
  check_members("document", document);
  for (const auto& [member, raw] : json_members(document)) {
    const bool versions = member == "channel_versions";
    if ((!versions && member != "channel_values") || !raw.starts_with('{')) continue;
    check_members("document." + member, raw);
    if (versions) check_versions(raw);
  }
  for (const auto& [channel, version] : read_document(document).versions) {
    const std::string field = "document.channel_versions." + channel;
    check_id(field, channel);
    check_id(field, version);
  }
}

void check_metadata(std::string& metadata, std::size_t limit) {
  check_size("metadata", metadata.size(), limit);
  metadata = strip_nul(std::move(metadata));
  check_json_object("metadata", metadata);
  check_members("metadata", metadata);
}

void check_blob(const Blob& blob, std::size_t limit) {
  check_id("blob channel", blob.channel);
  check_id("version of blob '" + blob.channel + "'", blob.version);
  check_id("type of blob '" + blob.channel + "'", blob.type);
  check_size("blob '" + blob.channel + "'", blob.data.size(), limit);
}

void check_write(const PendingWrite& write, std::size_t limit) {
  check_id("task_id", write.task_id);
  check_id("write channel", write.channel);
  check_text("task_path", write.task_path);
  check_size("task_path", write.task_path.size(), limit);
  check_id("type of write to '" + write.channel + "'", write.type);
  check_size("write to '" + write.channel + "'", write.data.size(), limit);
}

void check(PutCheckpoint& put, std::size_t limit) {
  check_key(put.thread_id, put.checkpoint_ns);
  check_id("checkpoint_id", put.checkpoint_id, Empty::refused);
  check_optional_id("parent_checkpoint_id", put.parent_checkpoint_id);
  check_size("document", put.document.size(), limit);
  check_channels("blobs", put.blobs.size());
  check_document(put.document);
  check_metadata(put.metadata, limit);
  for (const Blob& blob : put.blobs) check_blob(blob, limit);
}

void check(PutWrites& put, std::size_t limit) {
  check_key(put.thread_id, put.checkpoint_ns);
  check_id("checkpoint_id", put.checkpoint_id, Empty::refused);
  check_channels("writes", put.writes.size());
  for (const PendingWrite& write : put.writes) check_write(write, limit);
}

void check(PutThread& put, std::size_t limit) {
  check_id("thread_id", put.thread_id, Empty::refused);
  check_metadata(put.metadata, limit);
}

void check(CopyThread& copy, std::size_t) {
  check_id("source_thread_id", copy.source_thread_id, Empty::refused);
  check_id("target_thread_id", copy.target_thread_id, Empty::refused);
}

void check(DeleteRuns& runs, std::size_t) {
  for (const std::string& run : runs.run_ids) check_id("run_id", run);
}

void check_count(std::string_view field, std::size_t count) {
  if (count <= max_messages) return;
  refuse(field, "are " + std::to_string(count) + "; at most " + std::to_string(max_messages) +
                    " go together: divide them");
}

// A version or revision that is demanded; negative ones never were.
void check_expected(std::string_view field, const std::optional<std::int64_t>& expected) {
  if (expected && *expected < 0) refuse(field, "must not be negative; 0 is absent");
}

void check_value(std::string_view field, const std::string& text, std::size_t limit) {
  check_size(field, text.size(), limit);
  check_json(field, text);
}

void check_scope(const StateScope& scope) {
  if (scope.thread_id.empty() == scope.name.empty()) {
    refuse("scope", "must be a thread or a name, exactly one of them");
  }
  check_id("scope", scope.lane());
}

void check_changes(const std::vector<StateChange>& changes, std::size_t limit) {
  check_count("state changes", changes.size());
  std::set<std::string_view> keys;
  for (const StateChange& change : changes) {
    check_id("state key", change.key, Empty::refused);
    if (!keys.insert(change.key).second) refuse("state '" + change.key + "'", "is changed twice");
    check_expected("expected_version", change.expected_version);
    if (change.kind == StateChange::Kind::erase) continue;
    check_value("state '" + change.key + "'", change.value, limit);
  }
}

void check_message(NewMessage& message, std::size_t limit) {
  check_id("message id", message.id, Empty::refused);
  check_id("role", message.role);
  check_value("content of message '" + message.id + "'", message.content, limit);
  check_metadata(message.metadata, limit);
}

void check(AppendMessages& append, std::size_t limit) {
  check_id("thread_id", append.thread_id, Empty::refused);
  check_id("stream", append.stream);
  check_id("operation_id", append.operation_id);
  check_expected("expected_revision", append.expected_revision);
  if (append.messages.empty()) refuse("messages", "must not be empty");
  check_count("messages", append.messages.size());
  for (NewMessage& message : append.messages) check_message(message, limit);
  check_changes(append.state, limit);
}

void check(UpdateMessage& update, std::size_t limit) {
  check_id("thread_id", update.thread_id, Empty::refused);
  check_id("message id", update.id, Empty::refused);
  check_expected("expected_version", update.expected_version);
  if (update.content) check_value("content", *update.content, limit);
  if (update.metadata) check_metadata(*update.metadata, limit);
}

void check(RemoveMessages& removal, std::size_t) {
  check_id("thread_id", removal.thread_id, Empty::refused);
  check_count("ids", removal.ids.size());
  for (const std::string& id : removal.ids) check_id("message id", id, Empty::refused);
}

void check(PopMessages& pop, std::size_t) {
  check_id("thread_id", pop.thread_id, Empty::refused);
  check_id("stream", pop.stream);
  check_id("operation_id", pop.operation_id);
  check_count("messages", pop.count);
}

void check(ClearMessages& clear, std::size_t) {
  check_id("thread_id", clear.thread_id, Empty::refused);
  if (clear.stream) check_id("stream", *clear.stream);
}

void check(ChangeState& change, std::size_t limit) {
  check_scope(change.scope);
  check_changes(change.changes, limit);
}

template <class OfOneThread>
void check(OfOneThread& mutation, std::size_t) {
  check_id("thread_id", mutation.thread_id, Empty::refused);
}

void check_filter(const std::vector<MetadataEquals>& filter) {
  constexpr std::size_t most_conditions = 1000;
  if (filter.size() > most_conditions) {
    refuse("filter", "has " + std::to_string(filter.size()) + " conditions; at most " +
                         std::to_string(most_conditions) + " are allowed");
  }
  for (const auto& [key, value] : filter) {
    check_text("filter key", key);
    check_json("filter." + key, value);
  }
}

}  // namespace

void complete(Mutation& mutation, CheckpointIds& ids) {
  if (auto* append = std::get_if<AppendMessages>(&mutation)) {
    for (NewMessage& message : append->messages) {
      if (message.id.empty()) message.id = ids.next();
    }
  } else if (auto* pop = std::get_if<PopMessages>(&mutation)) {
    if (pop->operation_id.empty()) pop->operation_id = ids.next();
  }
}

void validate(Mutation& mutation, const Capabilities& capabilities) {
  std::visit([&](auto& m) { check(m, capabilities.max_value_bytes); }, mutation);
}

void validate(const CheckpointQuery& query) {
  check_key(query.thread_id, query.checkpoint_ns);
  check_optional_id("checkpoint_id", query.checkpoint_id);
}

void validate(const CheckpointList& query) {
  check_optional_id("thread_id", query.thread_id);
  if (query.checkpoint_ns) check_id("checkpoint_ns", *query.checkpoint_ns);
  check_optional_id("checkpoint_id", query.checkpoint_id);
  check_optional_id("before", query.before);
  check_filter(query.filter);
}

void validate(const HistoryQuery& query) {
  check_key(query.thread_id, query.checkpoint_ns);
  check_optional_id("checkpoint_id", query.checkpoint_id);
  for (const std::string& channel : query.channels) check_id("channel", channel);
}

void validate(const ThreadList& query) {
  check_filter(query.filter);
}

void validate(const LooseWritesQuery& query) {
  check_id("thread_id", query.thread_id, Empty::refused);
  if (!query.after) return;
  check_id("after checkpoint_ns", query.after->first);
  check_id("after checkpoint_id", query.after->second);
}

void validate(const MessageList& query) {
  check_id("thread_id", query.thread_id, Empty::refused);
  check_id("stream", query.stream);
  static_cast<void>(MessageFilter(query.filter));
}

void validate(const MessageQuery& query) {
  check_id("thread_id", query.thread_id, Empty::refused);
  check_id("message id", query.id, Empty::refused);
}

void validate(const StateQuery& query) {
  check_scope(query.scope);
  check_id("state key", query.key, Empty::refused);
}

void validate(const StateList& query) {
  check_scope(query.scope);
}

void validate(const ThreadQuery& query) {
  check_id("thread_id", query.thread_id, Empty::refused);
}

}  // namespace threadkeep
