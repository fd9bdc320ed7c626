// SPDX-License-Identifier: Apache-2.0
#include "archive/line.hpp"

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "archive/base64.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

using Json = nlohmann::json;

constexpr const char* newer = "; it may be from a newer version of threadkeep: use that one";

std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    throw Error(Code::corrupt, "the store holds text that is not UTF-8");
  }
}

/// A line under way. Numbers and strings only, in the order in which they are added.
class Text {
 public:
  explicit Text(std::string_view kind) : text_("{\"kind\":\"" + std::string(kind) + "\"") {}

  Text& add(std::string_view name, const std::string& value) {
    begin(name);
    text_ += quoted(value);
    return *this;
  }
  Text& add(std::string_view name, std::int64_t value) {
    begin(name);
    text_ += std::to_string(value);
    return *this;
  }
  Text& count(std::string_view name, std::uint64_t value) {
    return add(name, static_cast<std::int64_t>(value));
  }
  Text& bytes(std::string_view name, const Bytes& value) {
    begin(name);
    text_ += '"';
    append_base64(text_, value.view());
    text_ += '"';
    return *this;
  }
  std::string end() {
    text_ += "}\n";
    if (text_.size() <= max_line_bytes) return std::move(text_);
    throw Error(Code::unsupported, "a value is too large for an archive, whose lines have 2 GiB");
  }

 private:
  void begin(std::string_view name) {
    text_ += ",\"";
    text_ += name;
    text_ += "\":";
  }

  std::string text_;
};

std::string write(const HeaderLine& line) {
  return Text("archive").add("format", "threadkeep").add("version", line.version).end();
}

std::string write(const ThreadLine& line) {
  Text text("thread");
  text.add("thread_id", line.thread_id);
  if (line.info) {
    text.add("created_at", line.info->created_at)
        .add("updated_at", line.info->updated_at)
        .add("revision", line.info->revision)
        .add("metadata", line.info->metadata);
  }
  return text.end();
}

std::string write(const CheckpointLine& line) {
  Text text("checkpoint");
  text.add("checkpoint_ns", line.checkpoint_ns).add("checkpoint_id", line.checkpoint_id);
  if (line.parent_checkpoint_id) text.add("parent_checkpoint_id", *line.parent_checkpoint_id);
  return text.add("document", line.document).add("metadata", line.metadata).end();
}

std::string write(const BlobLine& line) {
  return Text("blob")
      .add("checkpoint_ns", line.checkpoint_ns)
      .add("channel", line.blob.channel)
      .add("version", line.blob.version)
      .add("type", line.blob.type)
      .bytes("data", line.blob.data)
      .end();
}

std::string write(const WriteLine& line) {
  return Text("write")
      .add("checkpoint_ns", line.checkpoint_ns)
      .add("checkpoint_id", line.checkpoint_id)
      .add("task_id", line.write.task_id)
      .add("idx", std::int64_t{line.write.idx})
      .add("channel", line.write.channel)
      .add("task_path", line.write.task_path)
      .add("type", line.write.type)
      .bytes("data", line.write.data)
      .end();
}

std::string write(const MessageLine& line) {
  const Message& message = line.message;
  return Text("message")
      .add("stream", message.stream)
      .add("seq", message.seq)
      .add("id", message.id)
      .add("role", message.role)
      .add("content", message.content)
      .add("metadata", message.metadata)
      .add("created_at", message.created_at)
      .add("version", message.version)
      .end();
}

std::string write(const StateLine& line) {
  return Text("state")
      .add("key", line.document.key)
      .add("value", line.document.value)
      .add("version", line.document.version)
      .end();
}

std::string write(const ThreadEndLine& line) {
  return Text("thread_end")
      .count("checkpoints", line.counts.checkpoints)
      .count("blobs", line.counts.blobs)
      .count("writes", line.counts.writes)
      .count("messages", line.counts.messages)
      .count("states", line.counts.states)
      .add("sha256", line.sha256)
      .end();
}

std::string write(const ArchiveEndLine& line) {
  return Text("archive_end").count("threads", line.threads).add("sha256", line.sha256).end();
}

using Value = std::variant<std::string, std::int64_t>;
using Values = std::map<std::string, Value, std::less<>>;

/// Takes one object of strings and integers out of a text, and stops at anything else: so a line
/// from elsewhere costs as much memory as it is long, however deep it is nested.
class FlatObject final : public Json::json_sax_t {
 public:
  Values values;

  bool start_object(std::size_t) override { return !std::exchange(began_, true); }
  bool key(string_t& name) override {
    name_ = std::move(name);
    return true;
  }
  bool string(string_t& text) override { return keep(std::move(text)); }
  bool number_integer(number_integer_t number) override { return keep(std::int64_t{number}); }
  bool number_unsigned(number_unsigned_t number) override {
    return std::in_range<std::int64_t>(number) && keep(static_cast<std::int64_t>(number));
  }
  bool end_object() override { return true; }

  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool keep(Value&& value) {
    return began_ && values.try_emplace(std::move(name_), std::move(value)).second;
  }

  bool began_ = false;
  std::string name_;
};

/// The members of a line, each to be taken once.
class Members {
 public:
  explicit Members(std::string_view text) {
    FlatObject object;
    if (!Json::sax_parse(text, &object)) {
      throw Error(Code::corrupt, "not a JSON object of strings and integers");
    }
    values_ = std::move(object.values);
    kind_ = string("kind");
  }

  const std::string& kind() const { return kind_; }
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  std::string string(std::string_view name) { return take<std::string>(name); }
  std::int64_t integer(std::string_view name) { return take<std::int64_t>(name); }
  std::optional<std::string> optional_string(std::string_view name) {
    return has(name) ? std::optional(string(name)) : std::nullopt;
  }
  std::uint64_t count(std::string_view name) {
    const std::int64_t number = integer(name);
    if (number < 0) throw bad(name);
    return static_cast<std::uint64_t>(number);
  }
  std::int32_t small(std::string_view name) {
    const std::int64_t number = integer(name);
    if (!std::in_range<std::int32_t>(number)) throw bad(name);
    return static_cast<std::int32_t>(number);
  }
  Bytes bytes(std::string_view name) {
    auto decoded = decode_base64(string(name));
    if (!decoded) throw bad(name);
    return Bytes(std::move(*decoded));
  }
  void finish() const {
    if (values_.empty()) return;
    throw Error(Code::unsupported,
                "unknown member " + quoted(values_.begin()->first) + " of " + kind_ + newer);
  }

 private:
  template <class Wanted>
  Wanted take(std::string_view name) {
    const auto found = values_.find(name);
    auto* value = found == values_.end() ? nullptr : std::get_if<Wanted>(&found->second);
    if (value == nullptr) throw bad(name);
    Wanted taken = std::move(*value);
    values_.erase(found);
    return taken;
  }

  Error bad(std::string_view name) const {
    return {Code::corrupt, "member \"" + std::string(name) + "\" " +
                               (kind_.empty() ? "" : "of " + kind_ + " ") +
                               "is missing or is not what it must be"};
  }

  std::string kind_;
  Values values_;
};

Line read_header(Members& members) {
  const std::string format = members.string("format");
  const std::int64_t version = members.integer("version");
  if (format == "threadkeep" && version == archive_version) return HeaderLine{version};
  throw Error(Code::unsupported, "an archive of format " + quoted(format) + " and version " +
                                     std::to_string(version) + newer);
}

Line read_thread(Members& members) {
  ThreadLine line{members.string("thread_id"), {}};
  if (!members.has("metadata")) return line;
  line.info = ThreadInfo{.thread_id = line.thread_id,
                         .created_at = members.integer("created_at"),
                         .updated_at = members.integer("updated_at"),
                         .revision = members.integer("revision"),
                         .metadata = members.string("metadata")};
  return line;
}

Line read_checkpoint(Members& members) {
  return CheckpointLine{.checkpoint_ns = members.string("checkpoint_ns"),
                        .checkpoint_id = members.string("checkpoint_id"),
                        .parent_checkpoint_id = members.optional_string("parent_checkpoint_id"),
                        .document = members.string("document"),
                        .metadata = members.string("metadata")};
}

Line read_blob(Members& members) {
  return BlobLine{.checkpoint_ns = members.string("checkpoint_ns"),
                  .blob = {.channel = members.string("channel"),
                           .version = members.string("version"),
                           .type = members.string("type"),
                           .data = members.bytes("data")}};
}

Line read_write(Members& members) {
  return WriteLine{.checkpoint_ns = members.string("checkpoint_ns"),
                   .checkpoint_id = members.string("checkpoint_id"),
                   .write = {.task_id = members.string("task_id"),
                             .idx = members.small("idx"),
                             .channel = members.string("channel"),
                             .task_path = members.string("task_path"),
                             .type = members.string("type"),
                             .data = members.bytes("data")}};
}

Line read_message(Members& members) {
  return MessageLine{{.stream = members.string("stream"),
                      .seq = members.integer("seq"),
                      .id = members.string("id"),
                      .role = members.string("role"),
                      .content = members.string("content"),
                      .metadata = members.string("metadata"),
                      .created_at = members.integer("created_at"),
                      .version = members.integer("version")}};
}

Line read_state(Members& members) {
  return StateLine{{.key = members.string("key"),
                    .value = members.string("value"),
                    .version = members.integer("version")}};
}

Line read_thread_end(Members& members) {
  return ThreadEndLine{.counts = {.checkpoints = members.count("checkpoints"),
                                  .blobs = members.count("blobs"),
                                  .writes = members.count("writes"),
                                  .messages = members.count("messages"),
                                  .states = members.count("states")},
                       .sha256 = members.string("sha256")};
}

Line read_archive_end(Members& members) {
  return ArchiveEndLine{.threads = members.count("threads"), .sha256 = members.string("sha256")};
}

Line read(Members& members) {
  static const std::map<std::string, Line (*)(Members&)> readers = {
      {"archive", read_header},  {"thread", read_thread}, {"checkpoint", read_checkpoint},
      {"blob", read_blob},       {"write", read_write},   {"thread_end", read_thread_end},
      {"message", read_message}, {"state", read_state},   {"archive_end", read_archive_end}};
  const auto reader = readers.find(members.kind());
  if (reader != readers.end()) return reader->second(members);
  throw Error(Code::unsupported, "unknown kind " + quoted(members.kind()) + newer);
}

}  // namespace

std::string encode(const Line& line) {
  return std::visit([](const auto& l) { return write(l); }, line);
}

Line decode(std::string_view text) {
  Members members(text);
  Line line = read(members);
  members.finish();
  return line;
}

}  // namespace threadkeep::ops
