// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace threadkeep::ops {

/// The only document of a file; null for an empty one. What follows its end, a second document or
/// anything else, is a YAML::Exception.
///
/// YAML::LoadAll is no use here: it never ends for texts such as `{a: }"`.
YAML::Node load_only_document(const std::string& text);

}  // namespace threadkeep::ops
