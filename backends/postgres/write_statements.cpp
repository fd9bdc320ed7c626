// SPDX-License-Identifier: Apache-2.0
#include "write_statements.hpp"

#include <utility>

#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

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

WriteStatements::WriteStatements(const Layout& layout)
    : begin("BEGIN ISOLATION LEVEL READ COMMITTED"),
      commit("COMMIT"),
      lock(statement(sql::write_lock, layout)),
      locks(statement(sql::write_locks, layout)),
      put(put_text(layout, sql::put_case_deleted), 9, blob_types()),
      put_latest(put_latest_text(layout), 9, blob_types()),
      put_blobs(render(sql::put_blobs, layout), 7, blob_types()),
      put_writes(render(sql::put_writes, layout), 6, write_types()),
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
