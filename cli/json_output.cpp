// SPDX-License-Identifier: Apache-2.0
#include "json_output.hpp"

#include <iostream>

namespace threadkeep::cli {

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json stored_json(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

Json failure_object(const std::string& message, const std::string& code) {
  return {{"ok", false}, {"message", message}, {"code", code}};
}

JsonList::JsonList(const std::string& name) {
  std::cout << "{" << json_text(name) << ":[";
}

void JsonList::add(const Json& item) {
  std::cout << (first_ ? "" : ",") << json_text(item);
  first_ = false;
}

void JsonList::end(const Json& rest) {
  std::cout << "]";
  if (!rest.empty()) std::cout << "," << json_text(rest).substr(1);
  if (rest.empty()) std::cout << "}";
  std::cout << "\n";
}

}  // namespace threadkeep::cli
