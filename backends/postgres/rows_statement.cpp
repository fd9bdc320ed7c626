// SPDX-License-Identifier: Apache-2.0
#include "rows_statement.hpp"

#include <utility>

namespace threadkeep::postgres {

namespace {

std::string placeholders(std::size_t first, const std::vector<std::string_view>& types) {
  std::string row;
  for (std::size_t i = 0; i < types.size(); ++i) {
    row.append(i == 0 ? "$" : ", $").append(std::to_string(first + i)).append("::");
    row += types[i];
  }
  return row;
}

// VALUES cannot be empty.
std::string no_rows(const std::vector<std::string_view>& types) {
  std::string query = "SELECT ";
  for (std::size_t i = 0; i < types.size(); ++i) {
    query.append(i == 0 ? "NULL::" : ", NULL::").append(types[i]);
  }
  return query + " WHERE false";
}

std::string rows_query(std::size_t rows, std::size_t first,
                       const std::vector<std::string_view>& types) {
  if (rows == 0) return no_rows(types);
  std::string query = "VALUES ";
  for (std::size_t row = 0; row < rows; ++row) {
    query.append(row == 0 ? "(" : ", (");
    query.append(placeholders(first + row * types.size(), types)).append(")");
  }
  return query;
}

}  // namespace

RowsStatement::RowsStatement(std::string text, std::size_t first,
                             std::vector<std::string_view> types)
    : text_(std::move(text)), first_(first), types_(std::move(types)) {
  for (std::size_t rows = 0; rows <= most_prepared; ++rows) prepared_.push_back(make(rows));
}

Statement RowsStatement::make(std::size_t rows) const {
  constexpr std::string_view place = "{rows}";
  std::string text = text_;
  text.replace(text.find(place), place.size(), rows_query(rows, first_, types_));
  return Statement(std::move(text));
}

}  // namespace threadkeep::postgres
