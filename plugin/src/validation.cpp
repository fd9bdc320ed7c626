// SPDX-License-Identifier: Apache-2.0
#include "validation.hpp"

#include "json.hpp"
#include "text.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep {

namespace {

enum class Empty { allowed, refused };

[[noreturn]] void refuse(std::string_view field, const std::string& why) {
  throw Error(Code::invalid_argument, std::string(field) + " " + why);
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

void check_document(const std::string& document) {
  check_json_object("document", document);
  for (const auto& [member, raw] : json_members(document)) {
    if (member == "channel_versions" && raw.starts_with('{')) check_versions(raw);
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
  check_document(put.document);
  check_metadata(put.metadata, limit);
  for (const Blob& blob : put.blobs) check_blob(blob, limit);
}

void check(PutWrites& put, std::size_t limit) {
  check_key(put.thread_id, put.checkpoint_ns);
  check_id("checkpoint_id", put.checkpoint_id, Empty::refused);
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

template <class OfOneThread>
void check(OfOneThread& mutation, std::size_t) {
  check_id("thread_id", mutation.thread_id, Empty::refused);
}

void check_filter(const std::vector<MetadataEquals>& filter) {
  for (const auto& [key, value] : filter) {
    check_text("filter key", key);
    check_json("filter." + key, value);
  }
}

}  // namespace

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
  check_optional_id("thread_id", query.thread_id);
  check_filter(query.filter);
}

}  // namespace threadkeep
