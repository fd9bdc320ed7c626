// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <threadkeep/table_model.hpp>
#include <vector>

namespace threadkeep::migration {

/// A foreign key that is written as NULL at first and set by a second pass, so that a cycle of
/// tables has a beginning.
struct Link {
  std::string table;
  std::vector<std::string> columns;  ///< Those of the foreign key that may be NULL.
  std::string target;
};

/// Tables that are copied one after the other.
struct Step {
  std::vector<std::string> tables;  ///< One, or the tables of a group in their order.
  /// All of them in one transaction, with deferrable constraints checked at its end.
  bool group = false;
  /// The table refers to itself in a way that only one statement for all of its rows satisfies,
  /// unless rows come after those that they refer to.
  bool whole = false;
  /// Where `whole`: the one foreign key by which rows can be brought into such an order.
  std::optional<tables::ForeignKey> parents_first;
};

/// The order in which tables are copied so that no row comes before one that it refers to.
struct Order {
  std::vector<Step> steps;
  std::vector<Link> links;
  /// How each cycle is broken, in a sentence for people.
  std::vector<std::string> explanations;
};

/// Orders tables by the foreign keys among them, and by name where these leave a choice. `wanted`
/// is an order that somebody has configured: it decides where the keys leave a choice; tables that
/// it does not name come as late as possible.
///
/// Throws Error(invalid_argument) that names the tables for a cycle that cannot be broken without
/// changing a constraint, and for a wanted order that goes against a foreign key or names a table
/// twice. Names in `wanted` that are no table are passed over.
Order order_tables(const std::vector<tables::Table>& tables,
                   const std::vector<std::string>& wanted = {});

}  // namespace threadkeep::migration
