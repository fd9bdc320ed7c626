// SPDX-License-Identifier: Apache-2.0
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string fill(std::string_view text, const Pieces& pieces) {
  std::string out(text);
  for (const auto& [name, value] : pieces) replace_all(out, name, value);
  return out;
}

std::string render(std::string_view text, const Layout& layout, const Pieces& more) {
  std::string out = fill(text, more);
  replace_all(out, "{c}", layout.bytewise ? "" : " COLLATE \"C\"");
  // Last: the schema is the only part that is not text of this program.
  replace_all(out, "{schema}", quote_identifier(layout.schema) + ".");
  return out;
}

}  // namespace threadkeep::postgres
