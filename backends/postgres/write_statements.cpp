// SPDX-License-Identifier: Apache-2.0
#include "write_statements.hpp"

#include <utility>

#include "postgres/sql.hpp"
#include "template.hpp"

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

Statement statement(std::string_view text, const Layout& layout) {
  return Statement(render(text, layout));
}

std::string put_text(const Layout& layout, std::string_view cases) {
  return render(sql::put, layout, {{"{cases}", std::string(cases)}});
}

// A put that demands to follow the latest checkpoint has more to look at.
std::string put_latest_text(const Layout& layout) {
  return put_text(layout, std::string(sql::put_case_equal) + std::string(sql::put_case_deleted) +
                              std::string(sql::put_case_stale));
}

std::vector<std::string_view> blob_types() {
  return {"text", "text", "text", "bytea"};
}

std::vector<std::string_view> write_types() {
  return {"text", "integer", "text", "text", "text", "bytea"};
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

WriteStatements::WriteStatements(const Layout& layout)
    : begin("BEGIN ISOLATION LEVEL READ COMMITTED"),
      commit("COMMIT"),
      lock(statement(sql::write_lock, layout)),
      locks(statement(sql::write_locks, layout)),
      put(put_text(layout, sql::put_case_deleted), 9, blob_types()),
      put_latest(put_latest_text(layout), 9, blob_types()),
      put_blobs(render(sql::put_blobs, layout), 7, blob_types()),
      put_writes(render(sql::put_writes, layout), 4, write_types()),
      put_thread(statement(sql::put_thread, layout)),
      delete_thread(statement(sql::delete_thread, layout)),
      scan_for_runs("SELECT set_config('enable_seqscan', 'on', true)"),
      runs_indexed(layout.runs_indexed),
      threads_of_runs(statement(sql::threads_of_runs, layout)),
      nodes_of_threads(statement(sql::nodes_of_threads, layout)),
      delta_values(statement(sql::delta_values, layout)),
      erase_checkpoints(statement(sql::erase_checkpoints, layout)),
      erase_old_writes(statement(sql::erase_old_writes, layout)),
      collect_blobs(statement(sql::collect_blobs, layout)),
      copy_thread(statement(sql::copy_thread, layout)) {}

}  // namespace threadkeep::postgres
