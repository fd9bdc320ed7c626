// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

namespace threadkeep {

namespace {

struct Sequence {
  std::size_t length;        // 0: not a lead byte
  unsigned char second_min;  // range of the second byte, which excludes overlong forms,
  unsigned char second_max;  // surrogates and code points above U+10FFFF
};

Sequence sequence_of(unsigned char lead) noexcept {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const Sequence sequence = sequence_of(byte(0));
    if (sequence.length == 0 || at + sequence.length > text.size()) return at;
    if (sequence.length > 1 && (byte(1) < sequence.second_min || byte(1) > sequence.second_max)) {
      return at;
    }
    for (std::size_t i = 2; i < sequence.length; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return at;
    }
    at += sequence.length;
  }
  return at;
}

std::string beginning_of(std::string_view field) {
  if (field.size() <= longest_field) return std::string(field);
  const auto cut = field.substr(0, longest_field);
  return std::string(cut.substr(0, valid_utf8_prefix(cut))) + "...";
}

}  // namespace threadkeep
