// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <array>
#include <charconv>

#include "parts.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::redis {

namespace {

void append_text(std::string& out, std::string_view text) {
  out += text;
  out += '\0';
}

// Takes a text and the NUL that ends it.
std::string_view take_text(std::string_view& rest, const char* of) {
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) refuse(of);
  const auto text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

std::vector<std::string> split_texts(std::string_view part) {
  std::vector<std::string> texts;
  while (!part.empty()) texts.emplace_back(take_text(part, "a checkpoint"));
  return texts;
}

Content::Versions split_versions(std::string_view part) {
  Content::Versions versions;
  while (!part.empty()) {
    const auto channel = take_text(part, "a checkpoint");
    versions.emplace_back(channel, take_text(part, "a checkpoint"));
  }
  return versions;
}

std::string_view take_codec(std::string_view value, const char* of) {
  if (!value.starts_with('0')) refuse(of);
  return value.substr(1);
}

std::string key(const std::string& prefix, unsigned bucket, std::string_view kind) {
  return prefix + ":{" + std::to_string(bucket) + "}:" + std::string(kind);
}

}  // namespace

void refuse(const std::string& what) {
  throw Error(Code::corrupt, "the store holds " + what + " that threadkeep did not write");
}

void append_part(std::string& out, std::string_view part) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>((part.size() >> shift) & 0xff);
  }
  out += part;
}

std::string_view take_part(std::string_view& rest, const char* what) {
  if (rest.size() < 4) refuse(what);
  std::size_t size = 0;
  for (const char c : rest.substr(0, 4)) size = (size << 8) | static_cast<unsigned char>(c);
  rest.remove_prefix(4);
  if (rest.size() < size) refuse(what);
  const auto part = rest.substr(0, size);
  rest.remove_prefix(size);
  return part;
}

std::string sixteen_digits(std::uint64_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  const std::string significant(digits.data(), end);
  return std::string(digits.size() - significant.size(), '0') + significant;
}

// FNV-1a, 64 bit (draft-eastlake-fnv), folded so that all of it counts.
unsigned bucket_of(std::string_view thread_id) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : thread_id) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return static_cast<unsigned>((hash ^ (hash >> 32)) % buckets);
}

Keys::Keys(const std::string& prefix, unsigned bucket)
    : registry(registry_key(prefix, bucket)),
      deadlines(key(prefix, bucket, "x")),
      orders(key(prefix, bucket, "o")),
      tombstones(key(prefix, bucket, "d")) {
  thread = index = registry;
}

Keys::Keys(const std::string& prefix, std::string_view thread_id)
    : Keys(prefix, bucket_of(thread_id)) {
  const unsigned bucket = bucket_of(thread_id);
  thread = key(prefix, bucket, "t:").append(thread_id);
  index = key(prefix, bucket, "i:").append(thread_id);
}

Keys notes_keys(const std::string& prefix) {
  Keys keys(prefix, 0U);
  keys.thread = meta_key(prefix) + ":retention";
  keys.index = meta_key(prefix) + ":audit";
  keys.registry = keys.deadlines = keys.orders = keys.tombstones = keys.thread;
  return keys;
}

Keys::Keys(const std::string& prefix, const StateScope& scope) : Keys(prefix, scope.lane()) {
  if (!scope.thread_id.empty()) return;
  thread = key(prefix, bucket_of(scope.name), "n:").append(scope.name);
  index = key(prefix, bucket_of(scope.name), "j:").append(scope.name);
}

std::string meta_key(const std::string& prefix) {
  return prefix + ":{meta}";
}

std::string migration_key(const std::string& prefix) {
  return meta_key(prefix) + ":migration";
}

std::string registry_key(const std::string& prefix, unsigned bucket) {
  return key(prefix, bucket, "r");
}

std::string place(std::string_view checkpoint_ns, std::string_view checkpoint_id) {
  std::string name(checkpoint_ns);
  name += '\0';
  return name.append(checkpoint_id);
}

std::string checkpoint_field(std::string_view place) {
  return std::string("c").append(place);
}

std::string blob_field(std::string_view checkpoint_ns, std::string_view channel,
                       std::string_view version) {
  std::string name = "b";
  append_text(name, checkpoint_ns);
  append_text(name, channel);
  return name.append(version);
}

std::string write_suffix(const PendingWrite& write) {
  std::string name;
  append_text(name, write.task_id);
  return name + std::to_string(write.idx);
}

std::vector<std::string_view> name_parts(std::string_view name, std::size_t parts) {
  std::vector<std::string_view> found;
  name.remove_prefix(std::min<std::size_t>(name.size(), 1));
  while (found.size() + 1 < parts) found.push_back(take_text(name, "a field"));
  if (name.find('\0') != std::string_view::npos) refuse("a field");
  found.push_back(name);
  return found;
}

std::string encode_before_document(const PutCheckpoint& put) {
  const DocumentChannels channels = read_document(put.document);
  std::string versions;
  for (const auto& [channel, version] : channels.versions) {
    append_text(versions, channel);
    append_text(versions, version);
  }
  std::string inlined;
  for (const auto& [channel, value] : channels.inline_values) append_text(inlined, channel);
  std::string deltas;
  for (const auto& channel : delta_channels(put.metadata)) append_text(deltas, channel);
  const auto run = run_id(put.metadata);
  std::string out;
  append_part(out, versions);
  append_part(out, inlined);
  append_part(out, deltas);
  append_part(out, run ? "+" + *run : "");
  append_part(out, put.parent_checkpoint_id.value_or(""));
  append_part(out, put.metadata);
  return out;
}

Content decode_content(std::string_view value) {
  const auto take = [&] { return take_part(value, "a checkpoint"); };
  Content content;
  content.versions = split_versions(take());
  content.inline_channels = split_texts(take());
  content.delta_channels = split_texts(take());
  const auto run = take();
  if (!run.empty()) content.run_id = std::string(run.substr(1));
  const auto parent = take();
  if (!parent.empty()) content.parent_checkpoint_id = std::string(parent);
  content.metadata = std::string(take());
  content.document = std::string(value);
  return content;
}

std::string encode_before_data(const Blob& blob) {
  std::string out = "0";
  append_text(out, blob.type);
  return out;
}

std::string encode_before_data(const PendingWrite& write) {
  std::string out = "0";
  append_text(out, write.channel);
  append_text(out, write.type);
  append_text(out, write.task_path);
  return out;
}

DecodedBlob decode_blob(std::string_view value) {
  std::string_view rest = take_codec(value, "a blob");
  const auto type = take_text(rest, "a blob");
  return {type, value.size() - rest.size()};
}

DecodedWrite decode_write(std::string_view value) {
  std::string_view rest = take_codec(value, "a write");
  const auto channel = take_text(rest, "a write");
  const auto type = take_text(rest, "a write");
  const auto task_path = take_text(rest, "a write");
  return {channel, type, task_path, value.size() - rest.size()};
}

Head decode_head(std::string_view value) {
  std::array<std::string_view, 6> words;
  for (auto& word : words) {
    const auto end = value.find(' ');
    if (end == std::string_view::npos) refuse("the head of a thread");
    word = value.substr(0, end);
    value.remove_prefix(end + 1);
  }
  const auto number = [](std::string_view word) {
    std::int64_t result = 0;
    const auto end = word.data() + word.size();
    if (std::from_chars(word.data(), end, result).ptr != end) refuse("the head of a thread");
    return result;
  };
  Head head;
  head.has_info = words[0] != "-";
  if (head.has_info) {
    head.created_at = number(words[0]);
    head.updated_at = number(words[1]);
  }
  head.revision = number(words[2]);
  head.items = number(words[3]);
  head.changes = number(words[4]);
  head.generation = std::string(words[5]);
  head.tombstone = std::string(value);
  return head;
}

}  // namespace threadkeep::redis
