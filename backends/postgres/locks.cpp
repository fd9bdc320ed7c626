// SPDX-License-Identifier: Apache-2.0
#include "locks.hpp"

#include <vector>

namespace threadkeep::postgres {

namespace {

std::uint64_t add(std::uint64_t hash, std::string_view text) noexcept {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  }
  return hash;
}

std::uint64_t mix(std::uint64_t hash) noexcept {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

}  // namespace

std::int64_t lock_key(std::string_view schema, std::string_view thread_id) noexcept {
  std::uint64_t hash = add(14'695'981'039'346'656'037ULL, schema);
  hash = add(add(hash, std::string_view("\0", 1)), thread_id);
  return static_cast<std::int64_t>(mix(hash));
}

void Locks::want(std::string_view thread_id, bool own) {
  bool& owned = wanted_[lock_key(schema_, thread_id)];
  owned = owned || own;
}

void Locks::take(Pipeline& pipeline, const WriteStatements& statements) const {
  if (wanted_.empty()) return;
  if (const auto& [key, own] = *wanted_.begin(); wanted_.size() == 1 && !own) {
    pipeline.add(statements.lock).bigint(key);
    return;
  }
  std::vector<std::int64_t> keys;
  std::vector<std::int64_t> own;
  for (const auto& [key, owned] : wanted_) {
    keys.push_back(key);
    own.push_back(owned ? 1 : 0);
  }
  pipeline.add(statements.locks).bigint_array(keys).bigint_array(own);
}

}  // namespace threadkeep::postgres
