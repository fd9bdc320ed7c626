// SPDX-License-Identifier: Apache-2.0
#include "metadata_condition.hpp"

#include <nlohmann/json.hpp>

namespace threadkeep::cli {

MetadataEquals metadata_condition(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(Code::invalid_argument,
                "--metadata " + text + ": say NAME=VALUE, such as user=ada or age=3");
  }
  const std::string value = text.substr(equals + 1);
  const bool is_json = nlohmann::json::accept(value);
  return {text.substr(0, equals), is_json ? value : nlohmann::json(value).dump()};
}

}  // namespace threadkeep::cli
