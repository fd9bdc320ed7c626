// SPDX-License-Identifier: Apache-2.0
#include "archive/thread_lookup.hpp"

#include <cstdint>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::ops {

namespace {

constexpr char greatest_character[] = "\U0010FFFF";

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::uint32_t decode_character(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (bytes.size() == 1) return first;
  std::uint32_t character = first & (0x7FU >> bytes.size());
  for (const char byte : bytes.substr(1)) {
    character = character << 6 | (static_cast<unsigned char>(byte) & 0x3F);
  }
  return character;
}

std::string encode_character(std::uint32_t character) {
  if (character < 0x80) return {static_cast<char>(character)};
  const int following = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  // As many ones as there are bytes.
  std::string bytes{static_cast<char>(0xFF00U >> (following + 1) | character >> (6 * following))};
  for (int left = following - 1; left >= 0; --left) {
    bytes += static_cast<char>(0x80 | (character >> (6 * left) & 0x3F));
  }
  return bytes;
}

// The greatest text below an id, of those that may be ids: the character before its last one, and
// as many of the greatest character as make it longer than any id.
std::string just_before(const std::string& thread_id) {
  std::size_t last = thread_id.size() - 1;
  while (last > 0 && continues(thread_id[last])) --last;
  std::string text = thread_id.substr(0, last);
  const std::uint32_t character = decode_character(std::string_view(thread_id).substr(last));
  if (character == 1) return text;
  text += encode_character(character == 0xE000 ? 0xD7FF : character - 1);
  while (text.size() <= max_id_bytes) text += greatest_character;
  return text;
}

}  // namespace

// A store lists threads and has no other way to one; so this is a listing that begins at it.
std::optional<ThreadInfo> find_thread(Store& store, const std::string& thread_id,
                                      const Call& call) {
  if (thread_id.empty()) return {};
  ThreadList query{.filter = {}, .limit = 1, .cursor = {}};
  query.cursor = CursorCodec(query).encode({just_before(thread_id)});
  auto page = store.threads(query, call);
  if (page.items.empty() || page.items.front().thread_id != thread_id) return {};
  return std::move(page.items.front());
}

}  // namespace threadkeep::ops
