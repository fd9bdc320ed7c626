// SPDX-License-Identifier: Apache-2.0
#include "table_stage.hpp"

#include <array>

#include "postgres/sql.hpp"
#include "table_copy_stream.hpp"
#include "table_lines.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Column;
using tables::Kind;
using tables::Table;
using tables::Target;

// What one row is to blame for, and not the statement: its values, constraints, a trigger's veto,
// a value too long for an index.
bool is_about_a_row(std::string_view state) noexcept {
  return state.starts_with("22") || state.starts_with("23") || state == "P0001" ||
         state == "44000" || state == "54000";
}

std::string field(const PGresult* result, int code) {
  const char* text = result ? PQresultErrorField(result, code) : nullptr;
  return text ? text : "";
}

// Where a value does not become one of its column's type, the column is named by the context only:
// "COPY threadkeep_stage, line 1, column age: "old"".
RowFailure failure_of(const PGresult* refusal) {
  RowFailure failure{field(refusal, PG_DIAG_SQLSTATE), field(refusal, PG_DIAG_MESSAGE_PRIMARY)};
  if (const auto detail = field(refusal, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    failure.message += "; " + detail;
  }
  const auto context = field(refusal, PG_DIAG_CONTEXT);
  const auto line = context.substr(0, context.find('\n'));
  const auto column = line.find("column ");
  if (line.starts_with("COPY ") && column != std::string::npos) {
    failure.message += "; " + line.substr(column);
  }
  return failure;
}

bool has_plain_equality(const Column& column) noexcept {
  switch (column.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
    case Kind::numeric:
    case Kind::bytes:
    case Kind::timestamp:
    case Kind::timestamp_with_zone:
    case Kind::date:
    case Kind::time:
    case Kind::uuid:
      return true;
    default:
      return column.type == "jsonb";
  }
}

}  // namespace

TableStage::TableStage(Connection& connection, std::string_view name, const Target& target,
                       const Call& call)
    : connection_(connection),
      name_(qualified("pg_temp", name)),
      table_(target.table.name),
      columns_(names_of(target.columns)) {
  run_once(connection_, "DROP TABLE IF EXISTS " + name_, call);
  run_once(connection_,
           "CREATE TEMPORARY TABLE " + quote_identifier(name) + " AS SELECT " + list_of(columns_) +
               " FROM " + qualified(connection.schema(), table_) + " WITH NO DATA",
           call);
}

bool TableStage::fits(const Target& target) const {
  return target.table.name == table_ && names_of(target.columns) == columns_;
}

// The statistics of the first rows stand for those of all others: they are as many, and the names
// of columns stay.
void TableStage::load(std::string_view lines, const Call& call) {
  run_once(connection_, "TRUNCATE " + name_, call);
  CopyStream::in(connection_, "COPY " + name_ + " (" + list_of(columns_) + ") FROM STDIN", lines,
                 call);
  if (analyzed_) return;
  run_once(connection_, "ANALYZE " + name_, call);
  analyzed_ = true;
}

std::vector<std::size_t> TableStage::duplicates(const std::vector<std::string>& key,
                                                const Call& call) {
  const Pieces pieces = {{"{stage}", name_}, {"{key}", list_of(key)}};
  const Result result = run_once(connection_, compose(sql::tables_duplicates, pieces), call);
  std::vector<std::size_t> numbers;
  numbers.reserve(result.size());
  for (std::size_t row = 0; row < result.size(); ++row) {
    numbers.push_back(static_cast<std::size_t>(result.integer(row, 0)));
  }
  return numbers;
}

std::optional<RowFailure> attempt(Connection& connection, const std::function<void()>& work,
                                  const Call& call) {
  static const Statement savepoint("SAVEPOINT threadkeep_rows");
  static const Statement release("RELEASE SAVEPOINT threadkeep_rows");
  static const Statement back("ROLLBACK TO SAVEPOINT threadkeep_rows");
  connection.run(savepoint, {}, Effect::none, call);
  try {
    work();
  } catch (const Error& error) {
    if (connection.broken() || !is_about_a_row(error.native())) throw;
    RowFailure failure = failure_of(connection.last_refusal());
    std::array<Request, 2> undo;
    undo[0].statement = &back;
    undo[1].statement = &release;
    connection.run(undo, Effect::none, call);
    return failure;
  }
  connection.run(release, {}, Effect::none, call);
  return {};
}

void RowFinder::run(std::string_view lines, const Call& call) {
  if (lines.empty()) return;
  const auto failure = attempt(
      connection_, [&] { work_(lines); }, call);
  if (!failure) return;
  const auto [first, second] = halves(lines);
  if (second.empty()) return on_failure_(first.substr(0, first.size() - 1), *failure);
  run(first, call);
  run(second, call);
}

std::string_view load_rows(Connection& connection, TableStage& stage, std::string_view lines,
                           std::string& rest, const RowFinder::OnFailure& on_failure,
                           const Call& call) {
  bool failed = false;
  const auto load = [&](std::string_view part) {
    stage.load(part, call);
    if (part.size() != lines.size()) rest += part;
  };
  const auto leave_out = [&](std::string_view line, const RowFailure& failure) {
    failed = true;
    on_failure(line, failure);
  };
  RowFinder(connection, load, leave_out).run(lines, call);
  if (!failed && rest.empty()) return lines;
  stage.load(rest, call);
  return rest;
}

std::vector<std::string> names_of(const std::vector<tables::LineColumn>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

std::string differs(const Column& column, std::string_view left, std::string_view right) {
  const std::string name = quote_identifier(column.name);
  const std::string form = has_plain_equality(column) ? "" : "::text COLLATE \"C\"";
  return std::string(left) + name + form + " IS DISTINCT FROM " + std::string(right) + name + form;
}

std::string differ(const Table& table, const std::vector<std::string>& columns,
                   std::string_view left, std::string_view right) {
  std::string out;
  for (const std::string& name : columns) {
    const Column* column = table.find(name);
    if (!column) {
      throw Error(Code::invalid_argument, "table " + quote_identifier(table.name) +
                                              " has no column " + quote_identifier(name));
    }
    out += (out.empty() ? "(" : " OR ") + differs(*column, left, right);
  }
  return out.empty() ? "false" : out + ")";
}

}  // namespace threadkeep::postgres
