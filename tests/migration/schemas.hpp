// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/table_model.hpp>
#include <utility>
#include <vector>

/// \file
/// Tables that tests write down instead of reading them from a database.

namespace threadkeep::migration {

using tables::Column;
using tables::ForeignKey;
using tables::Kind;
using tables::Table;

struct KeyTo {
  std::string column;
  std::string target;
  bool nullable = false;
  bool deferrable = false;
};

inline Column column(std::string name, Kind kind, std::string type = {}, bool nullable = true) {
  Column made;
  made.name = std::move(name);
  made.kind = kind;
  made.type = std::move(type);
  made.nullable = nullable;
  return made;
}

/// A table with the key `id`, and a column for each foreign key.
inline Table table(std::string name, const std::vector<KeyTo>& keys = {}) {
  Table made;
  made.name = std::move(name);
  made.columns.push_back(column("id", Kind::integer, "bigint", false));
  made.key = {"id"};
  for (const auto& each : keys) {
    made.columns.push_back(column(each.column, Kind::integer, "bigint", each.nullable));
    ForeignKey key;
    key.name = made.name + "_" + each.column + "_fkey";
    key.columns = {each.column};
    key.target = each.target;
    key.target_columns = {"id"};
    key.deferrable = each.deferrable;
    made.foreign_keys.push_back(key);
  }
  return made;
}

/// The tables that the guide for users lists, with the references that such an application has.
std::vector<Table> application();

}  // namespace threadkeep::migration
