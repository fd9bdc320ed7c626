// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace threadkeep::redis {

/// The lines "name:value" that INFO answers; the text must live as long. What is not there is
/// empty, and 0 as a number.
class Info {
 public:
  explicit Info(std::string_view text) : text_(text) {}

  std::string text(std::string_view name) const {
    const auto at = text_.find("\n" + std::string(name) + ":");
    if (at == std::string_view::npos) return {};
    const auto value = text_.substr(at + name.size() + 2);
    return std::string(value.substr(0, value.find_first_of("\r\n")));
  }
  std::int64_t number(std::string_view name) const {
    const std::string value = text(name);
    std::int64_t result = 0;
    std::from_chars(value.data(), value.data() + value.size(), result);
    return result;
  }

 private:
  std::string_view text_;
};

}  // namespace threadkeep::redis
