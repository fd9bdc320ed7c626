// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// \file
/// Pieces of SQL about tables whose names are known at run time only.

namespace threadkeep::sqlite {

/// In double quotes, whatever it is called.
std::string quote_identifier(std::string_view name);

/// `"a", "b"`
std::string list_of(const std::vector<std::string>& names);

/// The pieces with `separator` between them.
std::string join(const std::vector<std::string>& pieces, std::string_view separator);

/// `?, ?, ?`
std::string placeholders(std::size_t count);

/// An expression for the time in a column as microseconds since 1970 UTC: of texts in ISO 8601, and
/// of numbers as append_field() reads them. NULL where there is none.
std::string time_of(const std::string& column);

}  // namespace threadkeep::sqlite
