// SPDX-License-Identifier: Apache-2.0
#include "statement.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

namespace threadkeep::postgres {

namespace {

// FNV-1a, 64 bits: texts are this program's own, nobody tries to make two of them equal.
std::uint64_t hash(std::string_view text) noexcept {
  std::uint64_t value = 14'695'981'039'346'656'037ULL;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  }
  return value;
}

std::string name_of(std::string_view sql) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "threadkeep_";
  const auto value = hash(sql);
  for (int shift = 60; shift >= 0; shift -= 4) name += digits[(value >> shift) & 15];
  return name;
}

}  // namespace

Statement::Statement(std::string sql) : sql_(std::move(sql)), name_(name_of(sql_)) {}

}  // namespace threadkeep::postgres
