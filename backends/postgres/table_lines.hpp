// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "threadkeep/table_store.hpp"

/// \file
/// Lines in the text format of COPY: a line feed ends each, tabs separate its columns, and neither
/// stands in a value.

namespace threadkeep::postgres {

/// The cursor after a line whose key is in these columns; empty without a key.
tables::Cursor cursor_of(std::string_view line, const std::vector<std::size_t>& key);

/// The cursor after a row with this key; empty for none.
tables::Cursor cursor_with(const tables::KeyValues& key);

/// The values in a cursor. Throws Error(invalid_argument) when it is not one of `count` values.
std::vector<std::string> values_of(std::string_view cursor, std::size_t count);

/// The lines without their ends.
std::vector<std::string_view> split_lines(std::string_view lines);

/// Lines in two parts that have about equally many bytes, each whole lines; the second is empty
/// when there is one line only.
std::pair<std::string_view, std::string_view> halves(std::string_view lines) noexcept;

}  // namespace threadkeep::postgres
