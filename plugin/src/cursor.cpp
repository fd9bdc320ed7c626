// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdint>

#include "hash.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep {

namespace {

constexpr char format_version = 1;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// base64url without padding, RFC 4648 section 5.
std::string encode_base64(std::string_view bytes) {
  std::string out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += alphabet[(buffer >> (bits - 6)) & 63];
  }
  if (bits > 0) out += alphabet[(buffer << (6 - bits)) & 63];
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return {};
    buffer = (buffer << 6) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((buffer >> bits) & 0xff);
    }
  }
  return out;
}

void append_u32(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void append_u64(std::string& out, std::uint64_t value) {
  append_u32(out, static_cast<std::size_t>(value >> 32));
  append_u32(out, static_cast<std::size_t>(value & 0xffffffffu));
}

std::uint64_t hash_of(std::string_view bytes) {
  Hash hash;
  hash.add(bytes);
  return hash.value();
}

// Takes what it reads off the front of a view; absent when the view is too short.
struct Reader {
  std::string_view rest;

  std::optional<std::uint64_t> number(std::size_t bytes) {
    const auto raw = text(bytes);
    if (!raw) return {};
    std::uint64_t value = 0;
    for (const char c : *raw) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }

  std::optional<std::string_view> text(std::size_t size) {
    if (rest.size() < size) return {};
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
};

std::optional<std::vector<std::string>> read_parts(Reader reader) {
  std::vector<std::string> parts;
  while (!reader.rest.empty()) {
    const auto size = reader.number(4);
    const auto part = size ? reader.text(static_cast<std::size_t>(*size)) : std::nullopt;
    if (!part) return {};
    parts.emplace_back(*part);
  }
  return parts;
}

void add_filter(Hash& hash, const std::vector<MetadataEquals>& filter) {
  for (const auto& [key, value] : filter) {
    hash.add_part(std::string_view(key));
    hash.add_part(std::string_view(value));
  }
}

// With the number of items of each list, so that different trees add different bytes.
void add_filter(Hash& hash, const Filter& filter) {
  hash.add_part(std::string_view(std::to_string(static_cast<int>(filter.kind))));
  hash.add_part(std::string_view(std::to_string(filter.parts.size())));
  for (const Filter& part : filter.parts) add_filter(hash, part);
  for (const auto* texts : {&filter.path, &filter.values}) {
    hash.add_part(std::string_view(std::to_string(texts->size())));
    for (const std::string& text : *texts) hash.add_part(std::string_view(text));
  }
}

Error refused(const char* why) {
  return Error(Code::invalid_argument,
               std::string("cursor: ") + why + "; start again without a cursor");
}

}  // namespace

CursorCodec::CursorCodec(const CheckpointList& query) {
  Hash hash;
  hash.add("checkpoints");
  for (const auto* part :
       {&query.thread_id, &query.checkpoint_ns, &query.checkpoint_id, &query.before}) {
    hash.add_part(*part);
  }
  add_filter(hash, query.filter);
  fingerprint_ = hash.value();
}

CursorCodec::CursorCodec(const ThreadList& query) {
  Hash hash;
  hash.add("threads");
  add_filter(hash, query.filter);
  fingerprint_ = hash.value();
}

CursorCodec::CursorCodec(const MessageList& query) {
  Hash hash;
  hash.add(query.direction == Direction::forward ? "messages" : "messages backward");
  hash.add_part(std::string_view(query.thread_id));
  hash.add_part(std::string_view(query.stream));
  hash.add_part(std::string_view(std::to_string(query.after)));
  add_filter(hash, query.filter);
  fingerprint_ = hash.value();
}

CursorCodec::CursorCodec(const StateList& query) {
  Hash hash;
  hash.add("state");
  hash.add_part(std::string_view(query.scope.thread_id));
  hash.add_part(std::string_view(query.scope.name));
  fingerprint_ = hash.value();
}

// version (1) | fingerprint (8) | parts, each length (4) and bytes | checksum of all before (8)
std::string CursorCodec::encode(const std::vector<std::string>& position) const {
  std::string bytes(1, format_version);
  append_u64(bytes, fingerprint_);
  for (const std::string& part : position) {
    append_u32(bytes, part.size());
    bytes += part;
  }
  append_u64(bytes, hash_of(bytes));
  return encode_base64(bytes);
}

std::vector<std::string> CursorCodec::decode(std::string_view cursor, std::size_t parts) const {
  constexpr std::size_t checksum_size = 8;
  const auto bytes = decode_base64(cursor);
  if (!bytes || bytes->size() < checksum_size + 1 || encode_base64(*bytes) != cursor) {
    throw refused("it is damaged");
  }
  const auto body = std::string_view(*bytes).substr(0, bytes->size() - checksum_size);
  Reader tail{std::string_view(*bytes).substr(body.size())};
  if (tail.number(checksum_size) != hash_of(body)) throw refused("it is damaged");
  Reader reader{body};
  if (reader.number(1) != static_cast<std::uint64_t>(format_version)) {
    throw refused("it is of another version of threadkeep");
  }
  if (reader.number(8) != fingerprint_) throw refused("it belongs to another query");
  auto position = read_parts(reader);
  if (!position || position->size() != parts) throw refused("it is damaged");
  return std::move(*position);
}

std::int64_t read_seq_cursor(const CursorCodec& codec, std::string_view cursor) {
  const std::string part = codec.decode(cursor, 1).front();
  std::int64_t seq = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), seq);
  if (error != std::errc() || end != part.data() + part.size()) throw refused("it is damaged");
  return seq;
}

}  // namespace threadkeep
