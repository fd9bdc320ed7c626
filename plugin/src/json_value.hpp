// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <nlohmann/json.hpp>
#include <string_view>

#include "hash.hpp"

/// \file
/// JSON by value: what is equal, what is less. Numbers are compared exactly, unlike by the library,
/// which converts to one of the two types first.

namespace threadkeep {

/// Throws Error(corrupt) for what is no JSON: it was checked when it was stored.
nlohmann::json parse_stored(std::string_view text);

bool equal_values(const nlohmann::json& a, const nlohmann::json& b);

/// Two numbers, or two strings (bytewise); unordered for everything else.
std::partial_ordering compare_values(const nlohmann::json& a, const nlohmann::json& b);

/// Equal values add the same.
void add_value(Hash& hash, const nlohmann::json& value);

}  // namespace threadkeep
