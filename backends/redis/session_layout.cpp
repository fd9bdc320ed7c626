// SPDX-License-Identifier: Apache-2.0
#include "session_layout.hpp"

#include <charconv>

#include "layout.hpp"
#include "parts.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::redis {

namespace {

// Takes a number and the space after it.
std::int64_t take_number(std::string_view& rest, const char* what) {
  std::int64_t number = 0;
  const auto end = rest.data() + rest.size();
  const auto at = std::from_chars(rest.data(), end, number).ptr;
  if (at == rest.data() || at == end || *at != ' ') refuse(what);
  rest.remove_prefix(static_cast<std::size_t>(at - rest.data()) + 1);
  return number;
}

std::int64_t read_seq(std::string_view text) {
  std::int64_t seq = 0;
  const auto end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data() + 1, end, seq).ptr != end) refuse("a field");
  return seq;
}

std::vector<std::int64_t> take_versions(std::string_view& rest) {
  std::vector<std::int64_t> versions;
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) refuse("an operation");
  std::string text(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  for (char& c : text) c = c == ',' ? ' ' : c;
  if (!text.empty()) text += ' ';
  for (std::string_view left = text; !left.empty();) {
    versions.push_back(take_number(left, "an operation"));
  }
  return versions;
}

}  // namespace

std::string sortable(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(1, static_cast<char>('`' + digits.size())) + digits;
}

std::string stream_start(std::string_view stream) {
  return std::string("e").append(stream) + '\0';
}

std::string seq_start(std::string_view stream, std::int64_t seq) {
  return stream_start(stream) + sortable(seq);
}

std::string encode_message(const Message& message) {
  std::string out =
      "0" + std::to_string(message.version) + " " + std::to_string(message.created_at) + " ";
  append_part(out, message.role);
  append_part(out, message.metadata);
  return out.append(message.content);
}

Message decode_message(std::string_view member, std::string_view value) {
  constexpr auto what = "a message";
  const auto names = name_parts(member, 3);
  if (!value.starts_with('0')) refuse(what);
  value.remove_prefix(1);
  Message message;
  message.stream = std::string(names[0]);
  message.seq = read_seq(names[1]);
  message.id = std::string(names[2]);
  message.version = take_number(value, what);
  message.created_at = take_number(value, what);
  message.role = std::string(take_part(value, what));
  message.metadata = std::string(take_part(value, what));
  message.content = std::string(value);
  return message;
}

std::string encode_document_value(std::string_view value) {
  return (sixteen_digits(value_hash(value)) + " ").append(value);
}

StateDocument decode_document(std::string_view key, std::string_view value) {
  constexpr auto what = "a document";
  StateDocument document{std::string(key), {}, take_number(value, what)};
  if (value.size() < 17 || value[16] != ' ') refuse(what);
  document.value = std::string(value.substr(17));
  return document;
}

Written decode_record(std::string_view record) {
  constexpr auto what = "an operation";
  if (record.size() < 17) refuse(what);
  record.remove_prefix(17);  // the fingerprint
  Written written;
  written.revision = take_number(record, what);
  written.changed = static_cast<std::uint64_t>(take_number(record, what));
  written.kept = static_cast<std::uint64_t>(take_number(record, what));
  written.versions = take_versions(record);
  while (!record.empty()) {
    const auto member = take_part(record, what);
    written.messages.push_back(decode_message(member, take_part(record, what)));
  }
  return written;
}

}  // namespace threadkeep::redis
