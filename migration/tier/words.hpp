// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// \file
/// Names and numbers in sentences for people.

namespace threadkeep::migration {

/// "\"users\"", with quotes inside doubled.
std::string quoted(const std::string& name);
/// "a, b and c"
std::string joined(const std::vector<std::string>& words);
/// "users.team_id", "users.(team_id, role)"
std::string names_of(const std::string& table, const std::vector<std::string>& columns);
/// "1 row", "2 rows"
std::string counted(std::uint64_t number, const std::string& one);

}  // namespace threadkeep::migration
