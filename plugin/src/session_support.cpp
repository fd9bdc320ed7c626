// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/session_support.hpp"

#include <charconv>
#include <map>

#include "hash.hpp"
#include "json.hpp"
#include "json_value.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

void add_json(Hash& hash, std::string_view text) {
  add_value(hash, parse_stored(text));
}

void add_number(Hash& hash, std::int64_t number) {
  hash.add_part(std::string_view(std::to_string(number)));
}

void add_change(Hash& hash, const StateChange& change) {
  hash.add_part(std::string_view(change.key));
  add_number(hash, static_cast<std::int64_t>(change.kind));
  if (change.kind != StateChange::Kind::erase) add_json(hash, change.value);
  add_number(hash, change.expected_version.value_or(-1));
}

[[noreturn]] void refuse_version(const std::string& what, std::int64_t expected,
                                 std::int64_t found) {
  throw Error(Code::conflict, what + " is at version " + std::to_string(found) + " and not at " +
                                  std::to_string(expected) +
                                  " (0: absent); read it again and go on from there");
}

using Members = std::map<std::string, std::string>;

// Of duplicates the last one counts. What is no object has no members.
Members members_of(std::string_view value) {
  Members members;
  if (!value.starts_with('{')) return members;
  for (const auto& [key, member] : json_members(value)) members.insert_or_assign(key, member);
  return members;
}

// RFC 7396 on the texts: the values that the patch does not name stay as they are spelled.
std::string merge(std::string_view target, std::string_view patch) {
  if (!patch.starts_with('{')) return std::string(patch);
  Members members = members_of(target);
  for (const auto& [key, change] : members_of(patch)) {
    if (change == "null") {
      members.erase(key);
    } else {
      std::string& member = members[key];
      member = merge(member, change);
    }
  }
  std::string text = "{";
  for (const auto& [key, value] : members) {
    if (text.size() > 1) text += ",";
    text.append(quote_json(key)).append(":").append(value);
  }
  return text + "}";
}

// JSON texts may have spaces around them.
std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// What a put or merge makes of a value; no value is an absent document.
std::string outcome_of(const StateChange& change, std::string_view value) {
  if (change.kind == StateChange::Kind::put) return change.value;
  return merge(trim(value), trim(change.value));
}

StateOutcome erase_document(const std::optional<StateDocument>& stored, const StateChange& change) {
  const auto& expected = change.expected_version;
  if (stored && expected && *expected != stored->version) {
    refuse_version("state '" + change.key + "'", *expected, stored->version);
  }
  return {{}, stored.has_value()};
}

std::string quote_member(std::string_view name, std::string_view value) {
  return "\"" + std::string(name) + "\":" + std::string(value);
}

std::string number_member(std::string_view name, std::int64_t number) {
  return quote_member(name, std::to_string(number));
}

std::string encode(const Message& message) {
  std::string text = "{" + number_member("seq", message.seq) + "," +
                     number_member("created_at", message.created_at) + "," +
                     number_member("version", message.version) + "," +
                     quote_member("stream", quote_json(message.stream)) + "," +
                     quote_member("id", quote_json(message.id)) + "," +
                     quote_member("role", quote_json(message.role));
  if (!message.content.empty()) text += "," + quote_member("content", message.content);
  if (!message.metadata.empty()) text += "," + quote_member("metadata", message.metadata);
  return text + "}";
}

std::int64_t read_number(std::string_view raw) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
  if (error == std::errc() && end == raw.data() + raw.size()) return number;
  throw Error(Code::corrupt, "a stored operation cannot be read");
}

// The raw value of each member; all that are asked for are there, or the text is corrupt.
class Fields {
 public:
  explicit Fields(std::string_view object) : members_(json_members(object)) {}

  std::string_view optional(std::string_view key) const {
    const auto* found = find_member(members_, key);
    return found ? *found : std::string_view();
  }
  std::string_view raw(std::string_view key) const {
    const auto* found = find_member(members_, key);
    if (!found) throw Error(Code::corrupt, "a stored operation is not whole");
    return *found;
  }
  std::int64_t number(std::string_view key) const { return read_number(raw(key)); }
  std::string text(std::string_view key) const { return json_string(raw(key)); }

 private:
  std::vector<JsonMember> members_;
};

Message decode_message(std::string_view text) {
  const Fields fields(text);
  return {.stream = fields.text("stream"),
          .seq = fields.number("seq"),
          .id = fields.text("id"),
          .role = fields.text("role"),
          .content = std::string(fields.optional("content")),
          .metadata = std::string(fields.optional("metadata")),
          .created_at = fields.number("created_at"),
          .version = fields.number("version")};
}

}  // namespace

std::size_t weight(const Message& message) noexcept {
  return message.content.size() + message.metadata.size() + message.id.size() + message.role.size();
}

std::size_t weight(const StateDocument& document) noexcept {
  return document.key.size() + document.value.size();
}

Message key_of(const Message& message) {
  return {.stream = message.stream,
          .seq = message.seq,
          .id = message.id,
          .role = {},
          .content = {},
          .metadata = {},
          .created_at = message.created_at,
          .version = message.version};
}

bool is_same(const Message& stored, std::string_view stream, const NewMessage& message) {
  return stored.stream == stream && stored.role == message.role &&
         json_equal(stored.content, message.content) &&
         json_equal(stored.metadata, message.metadata);
}

std::optional<Message> updated(const Message& stored, const UpdateMessage& update) {
  Message changed = stored;
  if (update.content) changed.content = *update.content;
  if (update.metadata) changed.metadata = *update.metadata;
  const bool equal =
      json_equal(stored.content, changed.content) && json_equal(stored.metadata, changed.metadata);
  const auto& expected = update.expected_version;
  if (expected && *expected != stored.version) {
    refuse_version("message '" + update.id + "'", *expected, stored.version);
  }
  if (equal) return {};
  ++changed.version;
  return changed;
}

void check_update_of_absent(const UpdateMessage& update) {
  if (!update.expected_version || *update.expected_version == 0) return;
  throw Error(Code::conflict, "message '" + update.id + "' is absent; it was removed or popped");
}

Error reused_message(std::string_view id) {
  return Error(Code::conflict, "message '" + std::string(id) +
                                   "' is there already with other content; use a new id");
}

void check_revision(const AppendMessages& append, std::int64_t revision) {
  if (!append.expected_revision || *append.expected_revision == revision) return;
  throw Error(Code::conflict, "the thread is at revision " + std::to_string(revision) +
                                  " and not at " + std::to_string(*append.expected_revision) +
                                  "; read it and go on from there");
}

StateOutcome change_document(const std::optional<StateDocument>& stored,
                             const StateChange& change) {
  if (change.kind == StateChange::Kind::erase) return erase_document(stored, change);
  const std::int64_t version = stored ? stored->version : 0;
  const auto& expected = change.expected_version;
  if (expected && *expected != version) {
    refuse_version("state '" + change.key + "'", *expected, version);
  }
  std::string value = outcome_of(change, stored ? stored->value : "");
  if (stored && json_equal(stored->value, value)) return {stored, false};
  return {StateDocument{change.key, std::move(value), version + 1}, true};
}

std::uint64_t value_hash(std::string_view json) {
  Hash hash;
  add_json(hash, json);
  return hash.value();
}

std::uint64_t fingerprint(const AppendMessages& append) {
  Hash hash;
  hash.add("append");
  hash.add_part(std::string_view(append.stream));
  add_number(hash, static_cast<std::int64_t>(append.messages.size()));
  for (const NewMessage& message : append.messages) {
    hash.add_part(std::string_view(message.role));
    add_json(hash, message.content);
    add_json(hash, message.metadata);
  }
  for (const StateChange& change : append.state) add_change(hash, change);
  return hash.value();
}

std::uint64_t fingerprint(const PopMessages& pop) {
  Hash hash;
  hash.add("pop");
  hash.add_part(std::string_view(pop.stream));
  add_number(hash, static_cast<std::int64_t>(pop.count));
  return hash.value();
}

Error reused_operation(std::string_view operation_id) {
  return Error(Code::conflict, "operation_id '" + std::string(operation_id) +
                                   "' named another operation before; use a new one");
}

std::string encode_written(const Written& written) {
  std::string text = "{" + number_member("changed", static_cast<std::int64_t>(written.changed)) +
                     "," + number_member("kept", static_cast<std::int64_t>(written.kept)) + "," +
                     number_member("revision", written.revision) + ",\"versions\":[";
  for (const std::int64_t version : written.versions) {
    text += (text.back() == '[' ? "" : ",") + std::to_string(version);
  }
  text += "],\"messages\":[";
  for (const Message& message : written.messages) {
    text += (text.back() == '[' ? "" : ",") + encode(message);
  }
  return text + "]}";
}

Written decode_written(std::string_view text) {
  const Fields fields(text);
  Written written;
  written.changed = static_cast<std::uint64_t>(fields.number("changed"));
  written.kept = static_cast<std::uint64_t>(fields.number("kept"));
  written.revision = fields.number("revision");
  for (const auto raw : json_elements(fields.raw("versions"))) {
    written.versions.push_back(read_number(raw));
  }
  for (const auto raw : json_elements(fields.raw("messages"))) {
    written.messages.push_back(decode_message(raw));
  }
  return written;
}

}  // namespace threadkeep
