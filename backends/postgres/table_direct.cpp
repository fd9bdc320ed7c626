// SPDX-License-Identifier: Apache-2.0
#include "table_direct.hpp"

#include <utility>

#include "postgres/sql.hpp"
#include "table_copy_stream.hpp"
#include "table_session.hpp"
#include "table_stage.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Counts;
using tables::Target;

bool all_new(const Counts& counts) noexcept {
  return counts.rows() == counts.inserted + counts.rejected;
}

}  // namespace

std::optional<std::uint64_t> DirectCopy::write(const Target& target, const tables::Batch& batch,
                                               const tables::TableProgress& so_far,
                                               const Call& call) {
  // A row log is written from the stage.
  if (target.mode == Target::Mode::update_only || target.log) return {};
  if (target.table.name != table_) look_at(target, so_far, call);
  if (!possible_ || !likely_) return {};
  const std::string sql = "COPY " + qualified(connection_.schema(), target.table.name) + " (" +
                          list_of(names_of(target.columns)) + ") FROM STDIN";
  std::uint64_t rows = 0;
  const auto copy = [&] { rows = CopyStream::in(connection_, sql, batch.lines, call); };
  if (attempt(connection_, copy, call)) return {};
  return rows;
}

void DirectCopy::learn(const Counts& counts) noexcept {
  likely_ = all_new(counts);
}

void DirectCopy::look_at(const Target& target, const tables::TableProgress& so_far,
                         const Call& call) {
  forget();
  possible_ = takes_copy(target, call);
  likely_ = possible_ &&
            (so_far.counts.rows() == 0 ? is_empty(target.table, call) : all_new(so_far.counts));
  table_ = target.table.name;
}

bool DirectCopy::takes_copy(const Target& target, const Call& call) {
  if (target.columns.empty()) return false;
  Parameters parameters;
  parameters.text(connection_.schema()).text(target.table.name).text_array(target.nulls);
  return run_once(connection_, std::string(sql::tables_takes_copy), std::move(parameters), call)
      .boolean(0, 0);
}

bool DirectCopy::is_empty(const tables::Table& table, const Call& call) {
  const std::string rows = rows_of(connection_.schema(), table);
  return run_once(connection_, "SELECT NOT EXISTS (SELECT FROM " + rows + ")", call).boolean(0, 0);
}

}  // namespace threadkeep::postgres
