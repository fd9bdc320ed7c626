// SPDX-License-Identifier: Apache-2.0
#include "table_rows.hpp"

#include <algorithm>

#include "copy_text.hpp"
#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Table;
using tables::Target;

std::vector<std::string> names_of(const Target& target) {
  std::vector<std::string> names;
  names.reserve(target.columns.size());
  for (const auto& column : target.columns) names.push_back(column.name);
  return names;
}

// The values are what the source says, and SQLite treats them as the target's types say.
std::vector<Format> formats_of(Connection& connection, const Target& target) {
  auto formats = formats_of(connection, target.table, names_of(target));
  for (std::size_t i = 0; i < formats.size(); ++i) formats[i].kind = target.columns[i].kind;
  return formats;
}

// A time as a text, whatever is in its middle and whether a Z is at its end.
std::string plain(const std::string& time) {
  return "replace(replace(" + time + ", 'T', ' '), 'Z', '')";
}

bool is_of_key(const Table& table, const std::string& column) {
  return std::find(table.key.begin(), table.key.end(), column) != table.key.end();
}

}  // namespace

std::vector<Format> formats_of(Connection& connection, const Table& table,
                               const std::vector<std::string>& columns) {
  const bool strict = is_strict(connection, table.name);
  std::vector<Format> formats;
  formats.reserve(columns.size());
  for (const auto& name : columns) {
    const tables::Column* column = table.find(name);
    if (!column) {
      throw Error(Code::invalid_argument,
                  "the table \"" + table.name + "\" has no column \"" + name + "\"");
    }
    formats.push_back({column->kind, affinity_of(column->type, strict)});
  }
  return formats;
}

RowParser::RowParser(Connection& connection, const Target& target)
    : target_(target),
      formats_(formats_of(connection, target)),
      owned_(formats_.size()),
      values_(formats_.size()) {}

std::optional<RowFailure> RowParser::parse(std::string_view line) {
  split_line(line, fields_);
  if (fields_.size() != formats_.size()) {
    throw Error(Code::invalid_argument, "a line for the table \"" + target_.table.name + "\" has " +
                                            std::to_string(fields_.size()) + " fields and not " +
                                            std::to_string(formats_.size()));
  }
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Reading reading = read_field(fields_[i], formats_[i]);
    if (reading.problem) {
      return RowFailure{"SQLITE_MISMATCH",
                        "the column \"" + target_.columns[i].name + "\" " + *reading.problem};
    }
    owned_[i] = std::move(reading.value);
    values_[i] = owned_[i].view();
  }
  return check_key();
}

// SQLite takes any number of rows with the same key when a part of it is NULL.
std::optional<RowFailure> RowParser::check_key() const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::string& name = target_.columns[i].name;
    if (values_[i].storage == Storage::null && is_of_key(target_.table, name)) {
      return RowFailure{"SQLITE_CONSTRAINT_NOTNULL",
                        "NULL in the key: " + target_.table.name + "." + name};
    }
  }
  return {};
}

RowSql::RowSql(Connection& connection, const Target& target, const std::vector<Format>& formats)
    : target_(target),
      formats_(formats),
      order_(key_order_of(connection, target.table)),
      table_("main." + quote_identifier(target.table.name)),
      join_key_(join(order_.columns, ", ")) {}

std::size_t RowSql::place_of(const std::string& column) const {
  for (std::size_t i = 0; i < target_.columns.size(); ++i) {
    if (target_.columns[i].name == column) return i;
  }
  throw Error(Code::invalid_argument, "the lines for the table \"" + target_.table.name +
                                          "\" have no column \"" + column + "\"");
}

std::string RowSql::parameter(const std::string& column) const {
  return "?" + std::to_string(place_of(column) + 1);
}

// The collation of a column may take different texts for equal. Where a column has an affinity,
// SQLite gives it to the parameter too.
std::string RowSql::differs(const std::string& column) const {
  const std::string quoted = quote_identifier(column);
  const std::string value = parameter(column);
  std::string sql = quoted + " COLLATE BINARY IS NOT " + value;
  if (formats_[place_of(column)].affinity == Affinity::none) {
    sql += " OR typeof(" + quoted + ") IS NOT typeof(" + value + ")";
  }
  return sql;
}

std::string RowSql::is_written_otherwise(const std::string& column) const {
  return quote_identifier(column) + " COLLATE BINARY IS NOT " + parameter(column);
}

std::string RowSql::newer() const {
  if (!target_.guard) return "0";
  std::string greater = is_greater(*target_.guard);
  if (!target_.second_guard) return greater;
  return "(" + greater + " OR (" + is_same(*target_.guard) + " AND " +
         is_greater(*target_.second_guard) + "))";
}

// Times are written in several ways, so that their texts tell the order only where they are less
// than a millisecond apart. What was never changed has often no time.
std::string RowSql::is_greater(const std::string& guard) const {
  const std::string column = quote_identifier(guard);
  const std::string value = parameter(guard);
  const bool times = has_times(guard);
  std::string greater = "coalesce(" + (times ? plain(column) : column) + " COLLATE BINARY > " +
                        (times ? plain(value) : value) + ", " + column + " IS NOT NULL AND " +
                        value + " IS NULL)";
  if (!times) return greater;
  const std::string ours = time_of(column);
  const std::string theirs = time_of(value);
  return "CASE WHEN " + ours + " IS " + theirs + " THEN " + greater + " ELSE coalesce(" + ours +
         " > " + theirs + ", " + greater + ") END";
}

std::string RowSql::is_same(const std::string& guard) const {
  const std::string column = quote_identifier(guard);
  const std::string value = parameter(guard);
  std::string same = column + " COLLATE BINARY IS " + value;
  if (!has_times(guard)) return same;
  return "coalesce(" + time_of(column) + " = " + time_of(value) + ", " + same + ")";
}

// SQLite has no type of times, and many of its tables have them as texts.
bool RowSql::has_times(const std::string& column) const {
  const auto* described = target_.table.find(column);
  return described && (described->kind == tables::Kind::timestamp ||
                       described->kind == tables::Kind::timestamp_with_zone ||
                       described->kind == tables::Kind::text);
}

std::string RowSql::has_key() const {
  std::vector<std::string> conditions;
  conditions.reserve(order_.terms.size());
  for (std::size_t i = 0; i < target_.table.key.size(); ++i) {
    conditions.push_back(order_.terms[i] + " = " + parameter(target_.table.key[i]));
  }
  return join(conditions, " AND ");
}

std::vector<std::string_view> lines_of(std::string_view lines) {
  std::vector<std::string_view> split;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    split.push_back(lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return split;
}

}  // namespace threadkeep::sqlite
