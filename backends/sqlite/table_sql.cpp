// SPDX-License-Identifier: Apache-2.0
#include "table_sql.hpp"

namespace threadkeep::sqlite {

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string list_of(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  quoted.reserve(names.size());
  for (const auto& name : names) quoted.push_back(quote_identifier(name));
  return join(quoted, ", ");
}

std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string joined;
  for (const auto& piece : pieces) {
    if (!joined.empty()) joined += separator;
    joined += piece;
  }
  return joined;
}

std::string placeholders(std::size_t count) {
  return join(std::vector<std::string>(count, "?"), ", ");
}

namespace {

// The number in the column, or SQL about it, as microseconds, by its size.
std::string scaled(const std::string& c) {
  const auto below = [&](const char* end) { return c + " BETWEEN -" + end + " AND " + end; };
  const auto times = [&](const char* factor) {
    return " THEN CAST(" + c + " * " + factor + " AS INTEGER) ";
  };
  return "CASE WHEN " + below("99999999999") + times("1000000") + "WHEN " +
         below("99999999999999") + times("1000") + "WHEN " + below("99999999999999999") +
         times("1") + "END";
}

std::string days(const std::string& day) {
  return "CAST((" + day + " - 2440587.5) * 86400000000 AS INTEGER)";
}

}  // namespace

// SQLite reads "+00:00", and not the "+00" of Postgres. Julian days count from noon.
std::string time_of(const std::string& column) {
  const std::string c = quote_identifier(column);
  const std::string zoned =
      "CASE WHEN " + c + " GLOB '*:*[-+][0-9][0-9]' THEN " + c + " || ':00' ELSE " + c + " END";
  return "CASE WHEN typeof(" + c + ") = 'text' THEN " + days("julianday(" + zoned + ")") +
         " WHEN typeof(" + c + ") = 'real' AND " + c + " BETWEEN 1721425.5 AND 5373484.5 THEN " +
         days(c) + " WHEN typeof(" + c + ") IN ('integer', 'real') THEN " + scaled(c) + " END";
}

}  // namespace threadkeep::sqlite
