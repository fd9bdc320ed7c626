// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace threadkeep {

/// FNV-1a, 64 bit (draft-eastlake-fnv): guards against damage and mix-ups, not against forgery.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
  }
  /// With its length, so that parts do not run into each other.
  void add_part(std::string_view part) {
    add(std::to_string(part.size()));
    add(":");
    add(part);
  }
  void add_part(const std::optional<std::string>& part) {
    add(part ? "+" : "-");
    add_part(std::string_view(part ? *part : std::string()));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

}  // namespace threadkeep
