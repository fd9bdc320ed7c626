// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "threadkeep/error.hpp"

namespace threadkeep::fuzz {

/// Ends the program, which the fuzzer reports, when what must hold does not.
inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Runs `parse`, which may end with an Error of one of these codes and with nothing else. True when
/// it ended without.
template <class Parse>
bool accepts(std::initializer_list<Code> allowed, Parse parse) {
  try {
    parse();
    return true;
  } catch (const Error& error) {
    for (const Code code : allowed) {
      if (error.code() == code) return false;
    }
    std::fprintf(stderr, "%s\n", error.what());
    std::abort();
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace threadkeep::fuzz
