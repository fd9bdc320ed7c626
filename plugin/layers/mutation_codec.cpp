// SPDX-License-Identifier: Apache-2.0
#include "layers/mutation_codec.hpp"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "text.hpp"

namespace threadkeep {

namespace {

using Json = nlohmann::json;

constexpr int body_version = 1;
// Above what encode() makes.
constexpr int max_depth = 12;

[[noreturn]] void refuse(std::string_view what) {
  throw Error(Code::corrupt, "a journal entry is damaged: " + std::string(what));
}

// The members of each type, for writing and for reading. `T` may be const.
template <class Archive, class T>
void fields(Archive& archive, T& m) {
  using Type = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Type, Blob>) {
    archive("channel", m.channel)("version", m.version)("type", m.type)("data", m.data);
  } else if constexpr (std::is_same_v<Type, PendingWrite>) {
    archive("task_id", m.task_id)("idx", m.idx)("channel", m.channel)("task_path", m.task_path)(
        "type", m.type)("data", m.data);
  } else if constexpr (std::is_same_v<Type, CheckpointTuple>) {
    archive("thread_id", m.thread_id)("checkpoint_ns", m.checkpoint_ns)(
        "checkpoint_id", m.checkpoint_id)("parent_checkpoint_id", m.parent_checkpoint_id)(
        "document", m.document)("metadata", m.metadata)("values", m.values)("writes", m.writes);
  } else if constexpr (std::is_same_v<Type, PutCheckpoint>) {
    archive("thread_id", m.thread_id)("checkpoint_ns", m.checkpoint_ns)(
        "checkpoint_id", m.checkpoint_id)("parent_checkpoint_id", m.parent_checkpoint_id)(
        "document", m.document)("metadata", m.metadata)("blobs", m.blobs)("require_latest_parent",
                                                                          m.require_latest_parent);
  } else if constexpr (std::is_same_v<Type, PutWrites>) {
    archive("thread_id", m.thread_id)("checkpoint_ns", m.checkpoint_ns)(
        "checkpoint_id", m.checkpoint_id)("writes", m.writes);
  } else if constexpr (std::is_same_v<Type, PutThread>) {
    archive("thread_id", m.thread_id)("metadata", m.metadata);
  } else if constexpr (std::is_same_v<Type, DeleteThread> || std::is_same_v<Type, Prune>) {
    archive("thread_id", m.thread_id);
  } else if constexpr (std::is_same_v<Type, DeleteRuns>) {
    archive("run_ids", m.run_ids);
  } else if constexpr (std::is_same_v<Type, CopyThread>) {
    archive("source_thread_id", m.source_thread_id)("target_thread_id", m.target_thread_id);
  } else if constexpr (std::is_same_v<Type, NewMessage>) {
    archive("id", m.id)("role", m.role)("content", m.content)("metadata", m.metadata);
  } else if constexpr (std::is_same_v<Type, StateChange>) {
    archive("key", m.key)("kind", m.kind)("value", m.value)("expected_version", m.expected_version);
  } else if constexpr (std::is_same_v<Type, StateScope>) {
    archive("thread_id", m.thread_id)("name", m.name);
  } else if constexpr (std::is_same_v<Type, AppendMessages>) {
    archive("thread_id", m.thread_id)("stream", m.stream)("messages", m.messages)("state", m.state)(
        "operation_id", m.operation_id)("expected_revision", m.expected_revision);
  } else if constexpr (std::is_same_v<Type, UpdateMessage>) {
    archive("thread_id", m.thread_id)("id", m.id)("content", m.content)("metadata", m.metadata)(
        "expected_version", m.expected_version);
  } else if constexpr (std::is_same_v<Type, RemoveMessages>) {
    archive("thread_id", m.thread_id)("ids", m.ids);
  } else if constexpr (std::is_same_v<Type, PopMessages>) {
    archive("thread_id", m.thread_id)("stream", m.stream)("count", m.count)("operation_id",
                                                                            m.operation_id);
  } else if constexpr (std::is_same_v<Type, ClearMessages>) {
    archive("thread_id", m.thread_id)("stream", m.stream);
  } else if constexpr (std::is_same_v<Type, ChangeState>) {
    archive("scope", m.scope)("changes", m.changes);
  } else {
    static_assert(std::is_same_v<Type, LaneBase>);
    archive("scope", m.scope)("complete", m.complete)("latest", m.latest)("writes", m.writes)(
        "hollow", m.hollow);
  }
}

class Writer {
 public:
  template <class T>
  Writer& operator()(const char* name, const T& value) {
    object_[name] = json_of(value);
    return *this;
  }

  template <class T>
  static Json json_of(const T& value) {
    Writer writer;
    fields(writer, value);
    return std::move(writer.object_);
  }

 private:
  static Json json_of(const std::string& text) { return text; }
  static Json json_of(bool value) { return value; }
  static Json json_of(std::int32_t value) { return value; }
  static Json json_of(std::int64_t value) { return value; }
  static Json json_of(std::size_t value) { return value; }
  static Json json_of(StateChange::Kind kind) { return static_cast<int>(kind); }
  static Json json_of(const Bytes& bytes) {
    return Json::binary({bytes.view().begin(), bytes.view().end()});
  }
  template <class T>
  static Json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : Json(nullptr);
  }
  template <class T>
  static Json json_of(const std::vector<T>& items) {
    Json array = Json::array();
    for (const T& item : items) array.push_back(json_of(item));
    return array;
  }
  template <class T>
  static Json json_of(const std::map<std::string, T>& items) {
    Json object = Json::object();
    for (const auto& [key, item] : items) object[key] = json_of(item);
    return object;
  }

  Json object_ = Json::object();
};

class Reader {
 public:
  template <class T>
  Reader& operator()(const char* name, T& value) {
    const auto member = object_.find(name);
    if (member == object_.end()) refuse(std::string("it has no ") + name);
    ++seen_;
    read(*member, value);
    return *this;
  }

  template <class T>
  static void read(const Json& json, T& value) {
    if (!json.is_object()) refuse("something in it is no object");
    Reader reader(json);
    fields(reader, value);
    if (reader.seen_ != json.size()) refuse("it has too many members");
  }

 private:
  explicit Reader(const Json& object) : object_(object) {}

  static std::string text_of(const Json& json) {
    if (!json.is_string()) refuse("something in it is no text");
    const auto& text = json.get_ref<const std::string&>();
    if (!is_utf8(text)) refuse("a text in it is not UTF-8");
    return text;
  }
  static void read(const Json& json, std::string& text) { text = text_of(json); }
  static void read(const Json& json, bool& value) {
    if (!json.is_boolean()) refuse("something in it is neither true nor false");
    value = json.get<bool>();
  }
  static std::int64_t number_of(const Json& json, std::int64_t least, std::int64_t greatest) {
    const bool fits = json.is_number_unsigned()
                          ? std::in_range<std::int64_t>(json.get<std::uint64_t>())
                          : json.is_number_integer();
    if (!fits) refuse("something in it is no number");
    const auto number = json.get<std::int64_t>();
    if (number < least || number > greatest) refuse("a number in it is out of range");
    return number;
  }
  template <class T>
  requires(std::is_integral_v<T>) static void read(const Json& json, T& value) {
    constexpr auto least =
        std::is_signed_v<T> ? static_cast<std::int64_t>(std::numeric_limits<T>::min()) : 0;
    constexpr auto greatest = std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                                  ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                                  : std::numeric_limits<std::int64_t>::max();
    value = static_cast<T>(number_of(json, least, greatest));
  }
  static void read(const Json& json, StateChange::Kind& kind) {
    kind = static_cast<StateChange::Kind>(
        number_of(json, 0, static_cast<int>(StateChange::Kind::erase)));
  }
  static void read(const Json& json, Bytes& bytes) {
    if (!json.is_binary()) refuse("something in it are no bytes");
    const auto& binary = json.get_binary();
    if (binary.has_subtype()) refuse("bytes in it have a type");
    bytes = Bytes(std::string(binary.begin(), binary.end()));
  }
  template <class T>
  static void read(const Json& json, std::optional<T>& value) {
    if (json.is_null()) return;
    read(json, value.emplace());
  }
  template <class T>
  static void read(const Json& json, std::vector<T>& items) {
    if (!json.is_array()) refuse("something in it is no list");
    items.reserve(json.size());
    for (const Json& item : json) read(item, items.emplace_back());
  }
  template <class T>
  static void read(const Json& json, std::map<std::string, T>& items) {
    if (!json.is_object()) refuse("something in it is no object");
    for (const auto& [key, item] : json.items()) {
      if (!is_utf8(key)) refuse("a text in it is not UTF-8");
      read(item, items[key]);
    }
  }

  const Json& object_;
  std::size_t seen_ = 0;
};

// The parser calls itself for each level, so this looks first how many there are.
class DepthCheck final : public Json::json_sax_t {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool key(std::string&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= max_depth; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return ++depth_ <= max_depth; }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool leave() {
    --depth_;
    return true;
  }

  int depth_ = 0;
};

Json parse(std::string_view bytes) {
  try {
    DepthCheck check;
    const auto format = Json::input_format_t::cbor;
    if (!Json::sax_parse(bytes.begin(), bytes.end(), &check, format)) refuse("it is no CBOR");
    return Json::from_cbor(bytes.begin(), bytes.end());
  } catch (const Json::exception&) {
    refuse("it is no CBOR");
  }
}

Bytes encode_body(std::string_view name, Json object) {
  std::string text;
  Json::to_cbor(Json::array({body_version, name, std::move(object)}), text);
  return Bytes(std::move(text));
}

template <std::size_t at = 0>
Mutation decode_mutation(const std::string& name, const Json& object) {
  if constexpr (at == std::variant_size_v<Mutation>) {
    refuse("it is of an unknown kind");
  } else {
    using Type = std::variant_alternative_t<at, Mutation>;
    Mutation mutation{std::in_place_index<at>};
    if (name != operation_name(mutation)) return decode_mutation<at + 1>(name, object);
    Reader::read(object, std::get<Type>(mutation));
    return mutation;
  }
}

}  // namespace

Bytes encode(const Mutation& mutation) {
  return encode_body(operation_name(mutation),
                     std::visit([](const auto& m) { return Writer::json_of(m); }, mutation));
}

Bytes encode(const LaneBase& base) {
  return encode_body(base_kind, Writer::json_of(base));
}

JournalBody decode_journal_body(std::string_view bytes) {
  const Json body = parse(bytes);
  const bool has_form = body.is_array() && body.size() == 3 && body[0].is_number_integer() &&
                        body[1].is_string() && body[2].is_object();
  if (!has_form) refuse("it is no entry");
  if (body[0] != body_version) {
    throw Error(Code::corrupt,
                "a journal entry is of another version of threadkeep; let the one "
                "that wrote it store what waits");
  }
  const auto& name = body[1].get_ref<const std::string&>();
  if (name != base_kind) return decode_mutation(name, body[2]);
  LaneBase base;
  Reader::read(body[2], base);
  return base;
}

}  // namespace threadkeep
