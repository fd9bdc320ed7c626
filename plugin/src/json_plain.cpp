// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"
#include "text.hpp"

namespace threadkeep {

namespace {

// Above what texts of checkpoints have; each level is a frame of the stack.
constexpr std::size_t max_plain_depth = 32;
// All such numbers are finite, and such integers fit into 64 bits.
constexpr std::size_t max_plain_digits = 18;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Reads one JSON value. Each function says whether it was there and went past it.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : text_(text) {}

  bool all_of_it() {
    skip_space();
    if (!value(0)) return false;
    skip_space();
    return at_ == text_.size() && (is_ascii_ || is_utf8(text_));
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool accept(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }

  bool value(std::size_t depth) {
    switch (peek()) {
      case '"':
        return string();
      case '{':
        return container('}', depth, [this, depth] { return member(depth + 1); });
      case '[':
        return container(']', depth, [this, depth] { return value(depth + 1); });
      case 't':
        return accept("true");
      case 'f':
        return accept("false");
      case 'n':
        return accept("null");
      default:
        return number();
    }
  }

  template <class Item>
  bool container(char end, std::size_t depth, Item item) {
    if (depth == max_plain_depth) return false;
    ++at_;
    skip_space();
    if (accept(end)) return true;
    do {
      skip_space();
      if (!item()) return false;
      skip_space();
    } while (accept(','));
    return accept(end);
  }

  bool member(std::size_t depth) {
    if (!string()) return false;
    skip_space();
    if (!accept(':')) return false;
    skip_space();
    return value(depth);
  }

  // An escaped code point may be NUL or half a surrogate pair, so it is left to the parser.
  bool string() {
    if (!accept('"')) return false;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_++]);
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c >= 0x80) is_ascii_ = false;
      if (c == '\\' && !accept_escaped()) return false;
    }
    return false;
  }

  bool accept_escaped() {
    constexpr std::string_view escaped = "\"\\/bfnrt";
    return at_ < text_.size() && escaped.find(text_[at_++]) != std::string_view::npos;
  }

  bool number() {
    accept('-');
    const bool zero = peek() == '0';
    const std::size_t whole = digits();
    if (whole == 0 || whole > max_plain_digits || (zero && whole > 1)) return false;
    if (accept('.') && digits() == 0) return false;
    return peek() != 'e' && peek() != 'E';
  }

  std::size_t digits() {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    return at_ - start;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool is_ascii_ = true;
};

}  // namespace

bool is_plain_json(std::string_view text) {
  return PlainReader(text).all_of_it();
}

}  // namespace threadkeep
