// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <threadkeep/table_model.hpp>
#include <vector>

namespace threadkeep::migration {

/// What becomes of values of one kind in a column of another.
enum class Fit {
  same,      ///< They stay what they are.
  converts,  ///< Each becomes a value that says the same; one that cannot is rejected.
  lossy,     ///< Something of them is lost.
  refused,   ///< There is no meaning that everybody would agree on.
};

struct Conversion {
  Fit fit = Fit::same;
  std::string_view note;  ///< What is rejected, lost or unknown; may be empty.
};

/// "timestamp with zone"
std::string_view to_string(tables::Kind kind) noexcept;
std::string_view to_string(Fit fit) noexcept;
/// All kinds, in the order of their declaration.
const std::vector<tables::Kind>& all_kinds();

Conversion conversion(tables::Kind source, tables::Kind target);
/// As above, and what the declared types say more: the dimensions of vectors, types of one engine.
Conversion conversion(const tables::Column& source, const tables::Column& target);

}  // namespace threadkeep::migration
