// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/kinds.hpp"

namespace threadkeep::migration {

/// Something that stands against a copy, and what to do about it.
struct Problem {
  std::string text;
  std::string remedy;
};

/// A column that both sides have.
struct ColumnPair {
  std::string source;
  std::string target;
  tables::Kind kind = tables::Kind::other;  ///< Of the source's values.
};

/// How the rows of a table of the source become rows of one of the target.
struct TableMatch {
  tables::Table source;
  tables::Table target;
  std::vector<ColumnPair> columns;   ///< What is copied, in the order of the source.
  std::vector<std::string> update;   ///< Columns of the target that an existing row takes over.
  std::optional<std::string> guard;  ///< The target's column that says which row is newer.
  std::optional<std::string> second_guard;  ///< Where rows are equal in `guard`.
  bool keyless = false;                     ///< Rows are only ever inserted, into an empty table.
  std::vector<std::string> notes;           ///< What is lost or left empty.
  /// Columns of vectors that only the target has: `insights.embedding`.
  std::vector<std::string> null_vectors;
};

/// Compares two tables. `left_out` are columns of the source that the user leaves behind. What
/// stands against a copy is added to `problems`; the match is of use only where nothing was added.
TableMatch match_table(const tables::Table& source, const tables::Table& target,
                       const std::set<std::string>& left_out, std::vector<Problem>& problems);

}  // namespace threadkeep::migration
