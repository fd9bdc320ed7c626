// SPDX-License-Identifier: Apache-2.0
#include "config/text_file.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

bool is_control(char c) {
  return (c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '\x7f';
}

}  // namespace

std::string read_text_file(const std::string& path, const std::string& what) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most_text_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    throw Error(Code::unavailable, "cannot read " + what + " '" + path + "'; check that it is a " +
                                       "file and may be read");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() <= most_text_bytes) return text;
  throw Error(Code::invalid_argument, what + " '" + path + "' is longer than 1 MiB; name another");
}

void check_text(const std::string& text, const std::string& what) {
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) {
    const auto line = 1 + std::count(text.begin(), control, '\n');
    throw Error(Code::invalid_argument,
                what + ":" + std::to_string(line) + ": holds a control character; remove it");
  }
  if (is_utf8(text)) return;
  throw Error(Code::invalid_argument, what + ": is not UTF-8; save it as UTF-8");
}

}  // namespace threadkeep::ops
