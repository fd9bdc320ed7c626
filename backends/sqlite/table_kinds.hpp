// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "threadkeep/table_model.hpp"

/// \file
/// What the declared type of a column says. SQLite takes any words as a type, so these are the ones
/// that applications and their libraries write.

namespace threadkeep::sqlite {

/// What SQLite does to values on their way into a column; see "Type Affinity" of its manual.
enum class Affinity { none, text, integer, numeric, real };

/// `strict`: the column is of a STRICT table, where ANY means no conversion.
Affinity affinity_of(std::string_view declared, bool strict = false);

tables::Kind kind_of(std::string_view declared);

/// Of a vector: 3 for `VECTOR(3)`, `F32_BLOB(3)`, `FLOAT[3]`.
std::optional<int> dimensions_of(std::string_view declared);

/// ASCII only, as SQLite compares names.
std::string to_lower(std::string_view text);

}  // namespace threadkeep::sqlite
