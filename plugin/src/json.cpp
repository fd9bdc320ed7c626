// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <nlohmann/json.hpp>

#include "text.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

using nlohmann::json;

[[noreturn]] void corrupt() {
  throw Error(Code::corrupt, "stored JSON cannot be read; the store was changed by something else");
}

// Walks a text and remembers the path to where it is, so that a refusal can name it.
class Checker final : public nlohmann::json_sax<json> {
 public:
  Checker(std::string_view field, std::string_view text) : field_(field), text_(text) {}

  bool null() override { return next(); }
  bool boolean(bool) override { return next(); }
  bool number_integer(number_integer_t) override { return next(); }
  bool number_unsigned(number_unsigned_t) override { return next(); }
  bool number_float(number_float_t, const string_t&) override { return next(); }
  bool binary(binary_t&) override { return next(); }

  bool string(string_t& value) override {
    refuse_nul(value);
    return next();
  }

  bool key(string_t& value) override {
    path_.back().key = value;
    refuse_nul(value);
    return true;
  }

  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    refuse(reason(position, error.what()));
  }

 private:
  struct Frame {
    bool object;
    std::string key;
    std::size_t index = 0;
  };

  bool open(bool object) {
    if (path_.size() == max_json_depth) {
      refuse("is nested deeper than " + std::to_string(max_json_depth) + " levels; flatten it");
    }
    path_.push_back({object, {}});
    return true;
  }

  bool close() {
    path_.pop_back();
    return next();
  }

  bool next() {
    if (!path_.empty()) ++path_.back().index;
    return true;
  }

  void refuse_nul(const std::string& value) const {
    if (value.find('\0') != std::string::npos) {
      refuse("holds the character U+0000, which JSON columns cannot store; remove it");
    }
  }

  // The parser's own message quotes the input, which may be private; ours does not.
  std::string reason(std::size_t position, std::string_view message) const {
    const std::string_view from = text_.substr(std::min(position ? position - 1 : 0, text_.size()));
    if (from.starts_with("N") || from.starts_with("I")) {
      return "is NaN or Infinity, which JSON cannot hold; use null or a string";
    }
    if (message.find("surrogate") != std::string_view::npos) {
      return "holds a lone surrogate, which is not Unicode text; remove or replace it";
    }
    if (message.find("out_of_range") != std::string_view::npos)
      return "is a number out of range; use a string";
    return "is not JSON at byte " + std::to_string(position);
  }

  [[noreturn]] void refuse(const std::string& why) const {
    std::string where(field_);
    for (const Frame& frame : path_) {
      if (where.size() > longest_field) break;
      if (frame.object) {
        if (!frame.key.empty()) where.append(".").append(frame.key);
      } else {
        where.append("[").append(std::to_string(frame.index)).append("]");
      }
    }
    throw Error(Code::invalid_argument, beginning_of(where) + " " + why);
  }

  std::string_view field_;
  std::string_view text_;
  std::vector<Frame> path_;
};

// Scans JSON text without interpreting it. What it is given was checked when it was stored, so it
// is strict only about what it needs: strings end, brackets balance.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expect(char c) {
    if (peek() != c) corrupt();
    ++at_;
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool done() {
    skip_space();
    return at_ == text_.size();
  }

  std::string_view string() {
    if (peek() != '"') corrupt();
    const std::size_t start = at_;
    skip_string();
    return text_.substr(start, at_ - start);
  }

  std::string_view value() {
    const char first = peek();
    const std::size_t start = at_;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_container();
    } else {
      at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
      if (at_ == start) corrupt();
    }
    return text_.substr(start, at_ - start);
  }

 private:
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  void skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return;
      }
    }
    corrupt();
  }

  void skip_container() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
    corrupt();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

void check_json(std::string_view field, std::string_view text) {
  if (is_plain_json(text)) return;
  // The parser takes a NUL byte for the end of the text and would not look at what follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    throw Error(Code::invalid_argument,
                beginning_of(field) + " is not JSON at byte " + std::to_string(nul + 1));
  }
  Checker checker(field, text);
  json::sax_parse(text.begin(), text.end(), &checker);
}

void check_json_object(std::string_view field, std::string_view text) {
  if (Scanner(text).peek() != '{') {
    throw Error(Code::invalid_argument, beginning_of(field) + " must be a JSON object");
  }
  check_json(field, text);
}

std::string strip_nul(std::string text) {
  constexpr std::string_view nul = "\\u0000";
  if (text.find(nul) == std::string::npos) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (std::string_view(text).substr(i).starts_with(nul)) {
      i += nul.size();
    } else {
      // A backslash takes its partner along, so that an escaped backslash before "u0000" stays.
      const std::size_t length = text[i] == '\\' && i + 1 < text.size() ? 2 : 1;
      out.append(text, i, length);
      i += length;
    }
  }
  return out;
}

namespace {

// Calls `found(key, value)` with both as they stand in the text.
template <class Found>
void for_each_member(std::string_view object, const Found& found) {
  Scanner scanner(object);
  scanner.expect('{');
  if (!scanner.accept('}')) {
    do {
      const std::string_view key = scanner.string();
      scanner.expect(':');
      found(key, scanner.value());
    } while (scanner.accept(','));
    scanner.expect('}');
  }
  if (!scanner.done()) corrupt();
}

}  // namespace

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  for_each_member(object, [&](std::string_view key, std::string_view value) {
    members.emplace_back(json_string(key), value);
  });
  return members;
}

std::size_t json_size(std::string_view object) {
  std::size_t members = 0;
  for_each_member(object, [&](std::string_view, std::string_view) { ++members; });
  return members;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  std::vector<std::string_view> elements;
  Scanner scanner(array);
  scanner.expect('[');
  if (!scanner.accept(']')) {
    do {
      elements.push_back(scanner.value());
    } while (scanner.accept(','));
    scanner.expect(']');
  }
  if (!scanner.done()) corrupt();
  return elements;
}

const std::string_view* find_member(const std::vector<JsonMember>& members, std::string_view key) {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->first == key) return &member->second;
  }
  return nullptr;
}

std::string json_string(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') corrupt();
  if (raw.find('\\') == std::string_view::npos) return std::string(raw.substr(1, raw.size() - 2));
  const json parsed = json::parse(raw, nullptr, false);
  if (!parsed.is_string()) corrupt();
  return parsed.get<std::string>();
}

std::string quote_json(std::string_view text) {
  return json(text).dump();
}

}  // namespace threadkeep
