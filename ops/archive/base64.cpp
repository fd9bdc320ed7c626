// SPDX-License-Identifier: Apache-2.0
#include "archive/base64.hpp"

#include <array>
#include <cstdint>

namespace threadkeep::ops {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t bad = 64;

constexpr std::array<std::uint8_t, 256> digits = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(bad);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

std::uint32_t digit_at(std::string_view text, std::size_t at) {
  return digits[static_cast<unsigned char>(text[at])];
}

// The three bytes of four digits; nothing when one is none.
std::optional<std::uint32_t> group_at(std::string_view text, std::size_t at) {
  std::uint32_t group = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const std::uint32_t digit = digit_at(text, i);
    if (digit == bad) return {};
    group = group << 6 | digit;
  }
  return group;
}

void append_bytes(std::string& bytes, std::uint32_t group, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(group >> (16 - 8 * i) & 0xFF);
  }
}

}  // namespace

void append_base64(std::string& text, std::string_view bytes) {
  text.reserve(text.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group =
        byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
    for (std::uint32_t shift = 24; shift > 0; shift -= 6) {
      text += alphabet[group >> (shift - 6) & 63];
    }
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - padding, padding, padding, '=');
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  if (text.empty()) return bytes;
  if (text.size() % 4 != 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.reserve(text.size() / 4 * 3);
  const std::size_t last = text.size() - 4;
  for (std::size_t at = 0; at < last; at += 4) {
    const auto group = group_at(text, at);
    if (!group) return {};
    append_bytes(bytes, *group, 3);
  }
  std::string end(text.substr(last));
  end.replace(4 - padding, padding, padding, 'A');
  const auto group = group_at(end, 0);
  // Bits that stand for no byte are 0, so that bytes have one text only.
  const std::uint32_t unused = (1U << (8 * padding)) - 1;
  if (!group || (*group & unused) != 0) return {};
  append_bytes(bytes, *group, 3 - padding);
  return bytes;
}

}  // namespace threadkeep::ops
