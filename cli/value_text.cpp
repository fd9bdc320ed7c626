// SPDX-License-Identifier: Apache-2.0
#include "value_text.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "printable.hpp"

namespace threadkeep::cli {

namespace {

using Json = nlohmann::json;

// What is deeper is not shown: the parser calls itself for each level.
constexpr std::size_t max_depth = 60;

// Writes what a parser reports, as JSON is written, and stops it when there is enough.
class Writer final : public nlohmann::json_sax<Json> {
 public:
  Writer(std::size_t limit, std::size_t depth) : limit_(limit), depth_(depth) {}

  bool null() override { return put("null"); }
  bool boolean(bool value) override { return put(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return put(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::to_string(value)); }
  bool number_float(number_float_t value, const string_t& text) override {
    return put(text.empty() ? Json(value).dump() : text);
  }
  bool string(string_t& value) override { return put(quoted(value)); }
  bool binary(binary_t& value) override;
  bool key(string_t& value) override {
    begin_item();
    text_ += quoted(value) + ": ";
    after_key_ = true;
    return !full();
  }
  bool start_object(std::size_t) override { return open('{'); }
  bool end_object() override { return close('}'); }
  bool start_array(std::size_t) override { return open('['); }
  bool end_array() override { return close(']'); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    failed_ = true;
    return false;
  }

  bool failed() const noexcept { return failed_; }
  const std::string& text() const noexcept { return text_; }
  /// The items of the outermost array, as far as they were written.
  std::vector<std::string> items() const;

 private:
  bool full() const { return text_.size() > limit_; }
  void begin_item() {
    if (!first_ && !after_key_) text_ += ", ";
    if (level_ == 1 && !after_key_) items_.push_back(text_.size());
    first_ = after_key_ = false;
  }
  bool put(std::string_view value) {
    begin_item();
    text_ += value;
    return !full();
  }
  bool open(char bracket) {
    begin_item();
    text_ += bracket;
    first_ = true;
    ++level_;
    return depth_ + level_ <= max_depth && !full();
  }
  bool close(char bracket) {
    text_ += bracket;
    first_ = false;
    --level_;
    return !full();
  }
  std::string quoted(const std::string& value) const {
    return Json(value.substr(0, limit_)).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  std::string object_text(const binary_t& value) const;

  const std::size_t limit_;
  const std::size_t depth_;
  std::string text_;
  std::vector<std::size_t> items_;  // where they begin
  std::size_t level_ = 0;
  bool first_ = true;
  bool after_key_ = false;
  bool failed_ = false;
};

template <class Bytes>
bool write(const Bytes& bytes, Json::input_format_t format, Writer& writer) {
  Json::sax_parse(bytes.begin(), bytes.end(), &writer, format);
  return !writer.failed();
}

std::vector<std::string> Writer::items() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const bool last = i + 1 == items_.size();
    const std::size_t end = last ? text_.size() : items_[i + 1] - 2;
    all.push_back(text_.substr(items_[i], end - items_[i]));
  }
  if (!all.empty() && !full() && all.back().ends_with(']')) all.back().pop_back();
  return all;
}

// An extension of LangGraph's serializer: an array of module, class, contents and perhaps more.
std::string Writer::object_text(const binary_t& value) const {
  Writer inside(limit_, depth_ + level_ + 1);
  if (depth_ + level_ >= max_depth || !write(value, Json::input_format_t::msgpack, inside))
    return {};
  const auto items = inside.items();
  if (items.size() < 3 || items[1].size() < 2) return {};
  return items[1].substr(1, items[1].size() - 2) + "(" + items[2] + ")";
}

bool Writer::binary(binary_t& value) {
  const std::string object = value.has_subtype() ? object_text(value) : std::string();
  return put(object.empty() ? "<" + size_text(value.size()) + ">" : object);
}

std::string decoded(std::string_view bytes, Json::input_format_t format, std::size_t limit) {
  Writer writer(limit, 0);
  return write(bytes, format, writer) ? writer.text() : std::string();
}

}  // namespace

std::string value_text(std::string_view type, std::string_view bytes, std::size_t limit) {
  std::string text;
  if (type == "json") {
    text = decoded(bytes, Json::input_format_t::json, limit);
  } else if (type == "msgpack") {
    text = decoded(bytes, Json::input_format_t::msgpack, limit);
  } else if (type == "text" || type == "str") {
    text = bytes.substr(0, limit);
  }
  return printable(text);
}

}  // namespace threadkeep::cli
