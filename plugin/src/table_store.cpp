// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/table_store.hpp"

#include <algorithm>

namespace threadkeep::tables {

namespace {

constexpr char digits[] = "0123456789abcdef";

void append_ascii(std::string& text, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text.append("\\x").append({digits[byte >> 4U], digits[byte & 15U]});
    }
  }
}

}  // namespace

std::string key_of(const Target& target, std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= line.size();) {
    const auto end = std::min(line.find('\t', at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  std::string text;
  for (const auto& name : target.table.key) {
    for (std::size_t i = 0; i < target.columns.size() && i < fields.size(); ++i) {
      if (target.columns[i].name != name) continue;
      if (!text.empty()) text += '\t';
      append_ascii(text, fields[i]);
    }
  }
  return text;
}

}  // namespace threadkeep::tables
