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

}  // namespace threadkeep
