// SPDX-License-Identifier: Apache-2.0
#include "table_row_writer.hpp"

#include <algorithm>

#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Target;

constexpr const char* suppressed = "a trigger of the table does not let the row in";

// What one row is to blame for; the transaction goes on without it.
bool is_of_the_row(const Error& error) {
  const std::string& native = error.native();
  return native.starts_with("SQLITE_CONSTRAINT") || native.starts_with("SQLITE_MISMATCH") ||
         native.starts_with("SQLITE_TOOBIG");
}

std::string or_of(const std::vector<std::string>& conditions) {
  return conditions.empty() ? "0" : join(conditions, " OR ");
}

std::vector<std::string> names_of(const Target& target) {
  std::vector<std::string> names;
  for (const auto& column : target.columns) names.push_back(column.name);
  names.insert(names.end(), target.nulls.begin(), target.nulls.end());
  return names;
}

// OR ABORT: a clause of the table such as ON CONFLICT REPLACE would remove other rows.
std::string insert_sql(const Target& target, const RowSql& sql) {
  std::vector<std::string> values;
  for (const auto& column : target.columns) values.push_back(sql.parameter(column.name));
  values.insert(values.end(), target.nulls.size(), "NULL");
  return "INSERT OR ABORT INTO " + sql.table() + " (" + list_of(names_of(target)) + ") VALUES (" +
         join(values, ", ") + ") RETURNING " + sql.key();
}

std::string update_sql(const Target& target, const RowSql& sql) {
  std::vector<std::string> assignments;
  for (const auto& name : target.update) {
    assignments.push_back(quote_identifier(name) + " = " + sql.parameter(name));
  }
  return "UPDATE OR ABORT " + sql.table() + " SET " + join(assignments, ", ") + " WHERE " +
         sql.has_key();
}

// Those that an earlier pass wrote, beside the key.
std::vector<std::string> columns_of_earlier_pass(const Target& target) {
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<std::string> names;
  for (const auto& column : target.columns) {
    if (has(target.update, column.name) || has(target.table.key, column.name)) continue;
    if (column.name != target.guard && column.name != target.second_guard) {
      names.push_back(column.name);
    }
  }
  return names;
}

// That the row stays because it is newer, and not because a trigger changed the time of a row that
// an earlier pass wrote.
std::string kept_sql(const Target& target, const RowSql& sql) {
  if (!target.guard || target.mode != Target::Mode::update_only) return sql.newer();
  std::vector<std::string> others;
  for (const auto& name : columns_of_earlier_pass(target)) others.push_back(sql.differs(name));
  for (const auto& name : target.update) others.push_back(quote_identifier(name) + " IS NOT NULL");
  return sql.newer() + " AND (" + or_of(others) + ")";
}

std::string is_another_key(const Target& target, const RowSql& sql) {
  std::vector<std::string> conditions;
  for (const auto& name : target.table.key) conditions.push_back(sql.is_written_otherwise(name));
  return or_of(conditions);
}

}  // namespace

RowWriter::RowWriter(Connection& connection, const Target& target, std::string run_id)
    : connection_(connection),
      target_(target),
      parser_(connection, target),
      sql_(connection, target, parser_.formats()),
      insert_(insert_sql(target, sql_)),
      run_id_(std::move(run_id)) {
  if (target.log) log_.emplace(connection, target.table);
  if (target.mode != Target::Mode::insert_once) {
    if (target.table.key.empty()) {
      throw Error(Code::invalid_argument, "the table \"" + target.table.name +
                                              "\" has no key by which its rows could be found");
    }
    std::vector<std::string> differs;
    for (const auto& name : target.update) differs.push_back(sql_.differs(name));
    find_ = "SELECT " + or_of(differs) + ", " + kept_sql(target, sql_) + ", " +
            is_another_key(target, sql_) + ", " + sql_.key() + " FROM " + sql_.table() + " WHERE " +
            sql_.has_key();
    if (!target.update.empty()) update_ = update_sql(target, sql_);
  }
  for (const auto& key : target.table.foreign_keys) add_reference(key);
}

void RowWriter::add_reference(const tables::ForeignKey& key) {
  Reference reference;
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < key.columns.size() && i < key.target_columns.size(); ++i) {
    const auto found = std::find_if(
        target_.columns.begin(), target_.columns.end(),
        [&](const tables::LineColumn& column) { return column.name == key.columns[i]; });
    if (found == target_.columns.end()) return;
    reference.places.push_back(static_cast<std::size_t>(found - target_.columns.begin()));
    conditions.push_back(quote_identifier(key.target_columns[i]) + " = " +
                         sql_.parameter(key.columns[i]));
  }
  reference.find =
      "SELECT 1 FROM main." + quote_identifier(key.target) + " WHERE " + join(conditions, " AND ");
  reference.message = "FOREIGN KEY constraint failed: " + target_.table.name + " (" +
                      join(key.columns, ", ") + ") points to no row of " + key.target;
  references_.push_back(std::move(reference));
}

RowWriter::Outcome RowWriter::write(std::string_view line, std::optional<RowFailure>& failure) {
  failure = parser_.parse(line);
  if (failure) return Outcome::absent;
  try {
    const bool once = target_.mode == Target::Mode::insert_once;
    const Outcome outcome = once ? insert_row(failure) : write_row(failure);
    log_row(outcome);
    return outcome;
  } catch (const Error& error) {
    // RAISE(ROLLBACK) of a trigger ends the transaction.
    if (!is_of_the_row(error) || !connection_.in_transaction()) throw;
    failure = RowFailure{error.native(), connection_.last_message()};
    return Outcome::absent;
  }
}

RowWriter::Outcome RowWriter::write_row(std::optional<RowFailure>& failure) {
  bool differs = false;
  bool kept = false;
  {
    Rows rows = connection_.query_values(find_, parser_.values());
    if (!rows.next()) {
      return target_.mode == Target::Mode::upsert ? insert_row(failure) : Outcome::absent;
    }
    note_row(rows, 3);
    differs = rows.integer(0) != 0;
    kept = rows.integer(1) != 0;
    if (rows.integer(2) != 0) return other_key(failure);
    if (!note_key(rows, 3)) {
      failure = RowFailure{"SQLITE_CONSTRAINT_UNIQUE",
                           "the key is that of an earlier row of the same batch"};
      return Outcome::absent;
    }
  }
  return differs ? change_row(kept, failure) : Outcome::unchanged;
}

// Another row, which the collation of the key takes for the same. A pass for links passes it over.
RowWriter::Outcome RowWriter::other_key(std::optional<RowFailure>& failure) const {
  if (target_.mode == Target::Mode::upsert) {
    failure = RowFailure{"SQLITE_CONSTRAINT_UNIQUE",
                         "the key is taken by a row whose key is written in another way"};
  }
  return Outcome::absent;
}

RowWriter::Outcome RowWriter::change_row(bool kept, std::optional<RowFailure>& failure) {
  if (kept) return Outcome::kept;
  connection_.query_values(update_, parser_.values()).next();
  if (connection_.changes() > 0) return Outcome::updated;
  failure = RowFailure{"SQLITE_CONSTRAINT_TRIGGER", suppressed};
  return Outcome::absent;
}

// The statement ends at its second step; before that, what it returns is the key as it is stored.
RowWriter::Outcome RowWriter::insert_row(std::optional<RowFailure>& failure) {
  Rows rows = connection_.query_values(insert_, parser_.values());
  if (!rows.next()) {
    failure = RowFailure{"SQLITE_CONSTRAINT_TRIGGER", suppressed};
    return Outcome::absent;
  }
  if (target_.mode != Target::Mode::insert_once) note_key(rows, 0);
  note_row(rows, 0);
  rows.next();
  return Outcome::inserted;
}

void RowWriter::note_row(const Rows& rows, int first_column) {
  if (!log_) return;
  row_.clear();
  for (std::size_t i = 0; i < log_->order().columns.size(); ++i) {
    row_.emplace_back(rows.value(first_column + static_cast<int>(i)));
  }
}

// When the statement has ended, and its triggers with it.
void RowWriter::log_row(Outcome outcome) {
  if (!log_ || (outcome != Outcome::inserted && outcome != Outcome::updated)) return;
  std::vector<Value> key;
  key.reserve(row_.size());
  for (const OwnedValue& value : row_) key.push_back(value.view());
  log_->note(run_id_, key, outcome == Outcome::inserted);
}

// False when it was there.
bool RowWriter::note_key(const Rows& rows, int first_column) {
  std::vector<Value> key;
  key.reserve(target_.table.key.size());
  for (std::size_t i = 0; i < target_.table.key.size(); ++i) {
    key.push_back(rows.value(first_column + static_cast<int>(i)));
  }
  return keys_.insert(to_cursor(key)).second;
}

std::optional<RowFailure> RowWriter::broken_reference(std::string_view line) {
  if (parser_.parse(line)) return {};
  const auto& values = parser_.values();
  for (const Reference& reference : references_) {
    const bool points =
        std::all_of(reference.places.begin(), reference.places.end(),
                    [&](std::size_t place) { return values[place].storage != Storage::null; });
    if (points && !connection_.query_values(reference.find, values).next()) {
      return RowFailure{"SQLITE_CONSTRAINT_FOREIGNKEY", reference.message};
    }
  }
  return {};
}

}  // namespace threadkeep::sqlite
