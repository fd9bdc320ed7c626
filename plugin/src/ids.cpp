// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/ids.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

namespace threadkeep {

namespace {

// 1582-10-15 to 1970-01-01 in units of 100 ns.
constexpr std::uint64_t gregorian_offset = 0x01B21DD213814000;

// Variant 10, a random clock sequence, and a random node with the multicast bit that marks it so.
std::uint64_t random_tail() {
  std::random_device device;
  const std::uint64_t random = (std::uint64_t{device()} << 32) | device();
  constexpr std::uint64_t variant_mask = std::uint64_t{3} << 62;
  return (random & ~variant_mask) | (std::uint64_t{2} << 62) | (std::uint64_t{1} << 40);
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The digits of "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" as two halves; empty for other texts.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

std::optional<Uuid> read_uuid(std::string_view text) noexcept {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != form.size()) return {};
  Uuid uuid;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '-') {
      if (text[i] != '-') return {};
      continue;
    }
    const int digit = hex_digit(text[i]);
    if (digit < 0) return {};
    uuid.high = (uuid.high << 4) | (uuid.low >> 60);
    uuid.low = (uuid.low << 4) | static_cast<std::uint64_t>(digit);
  }
  return uuid;
}

}  // namespace

CheckpointIds::CheckpointIds(Environment environment)
    : environment_(std::move(environment)), tail_(random_tail()) {}

std::string CheckpointIds::next() {
  const std::uint64_t now = static_cast<std::uint64_t>(environment_.now()) * 10 + gregorian_offset;
  std::uint64_t time = 0;
  {
    const std::lock_guard lock(mutex_);
    time = last_ = std::max(now, last_ + 1);
  }
  char text[37];
  std::snprintf(text, sizeof text, "%08llx-%04llx-6%03llx-%04llx-%012llx",
                static_cast<unsigned long long>((time >> 28) & 0xffffffff),
                static_cast<unsigned long long>((time >> 12) & 0xffff),
                static_cast<unsigned long long>(time & 0xfff),
                static_cast<unsigned long long>(tail_ >> 48),
                static_cast<unsigned long long>(tail_ & 0xffffffffffff));
  return text;
}

std::optional<std::int64_t> time_of_id(std::string_view id) noexcept {
  const auto uuid = read_uuid(id);
  const bool is_version_6 = uuid && ((uuid->high >> 12) & 0xf) == 6 && (uuid->low >> 62) == 2;
  if (!is_version_6) return {};
  // 60 bits, so both fit a signed number.
  const std::uint64_t time = ((uuid->high >> 16) << 12) | (uuid->high & 0xfff);
  return (static_cast<std::int64_t>(time) - static_cast<std::int64_t>(gregorian_offset)) / 10;
}

}  // namespace threadkeep
