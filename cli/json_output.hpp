// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace threadkeep::cli {

using Json = nlohmann::json;

/// In one line; what is no UTF-8 in it becomes U+FFFD.
std::string json_text(const Json& value);

/// What a store holds as JSON; as a string where it is none, which no store should hold.
Json stored_json(const std::string& text);

/// What a command reports where it fails.
Json failure_object(const std::string& message, const std::string& code);

/// An object on the standard output with one list, which is printed as it grows: it may be longer
/// than the memory is large.
class JsonList {
 public:
  explicit JsonList(const std::string& name);

  void add(const Json& item);
  /// Ends list and object; `rest` are the object's other members.
  void end(const Json& rest);

 private:
  bool first_ = true;
};

}  // namespace threadkeep::cli
