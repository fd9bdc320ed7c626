// SPDX-License-Identifier: Apache-2.0
#include "indexes.hpp"

#include <array>

#include "catalog.hpp"
#include "ledger.hpp"
#include "postgres/sql.hpp"
#include "setup_session.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

std::string named(const Catalog& catalog, const IndexStep& index) {
  return "index " + quote_identifier(catalog.schema) + "." + std::string(index.name);
}

void check_definition(const Catalog& catalog, const IndexStep& index, const Catalog::Index& found) {
  if (found.table == "checkpoints" && found.shape == index.shape) return;
  throw Error(Code::corrupt, named(catalog, index) + " is on " + found.table + " (" + found.shape +
                                 ") and should be on checkpoints (" + std::string(index.shape) +
                                 "); rename or drop it, then run `threadkeep setup` again");
}

void check_not_partitioned(const Catalog& catalog, const IndexStep& index) {
  const auto* table = catalog.find("checkpoints");
  if (!table || table->kind != "p") return;
  throw Error(Code::unsupported,
              "checkpoints is partitioned, and there the server builds no index concurrently; "
              "build " +
                  named(catalog, index) +
                  " as `threadkeep setup --print-sql` says but "
                  "without CONCURRENTLY, then run `threadkeep setup` again");
}

void record(Connection& connection, const std::string& sql, const Call& call) {
  SetupTransaction transaction(connection, call);
  transaction.execute(sql);
  transaction.commit();
}

[[noreturn]] void explain_timeout(Connection& connection, const Catalog& catalog,
                                  const IndexStep& index, const Call& call) {
  const Statement oldest{std::string(sql::setup_oldest_transaction)};
  const Result rows = connection.run(oldest, {}, Effect::none, call);
  throw Error(Code::timeout,
              named(catalog, index) + " was not built in the time of the call" +
                  (rows.empty() ? ""
                                : "; the oldest open transaction, for whose end it has to "
                                  "wait, is that of " +
                                      describe_process(rows)) +
                  "; run `threadkeep setup` again with more time, it goes on from here",
              "57014");
}

void build(Connection& connection, const Catalog& catalog, const IndexStep& index,
           const Layout& layout, const Call& call) {
  const SessionTimeouts timeouts(connection, call);
  try {
    // One that is there is the remainder of a build that did not end.
    if (catalog.find_index(index.name)) {
      connection.execute(
          render(sql::setup_drop_index, layout, {{"{index}", std::string(index.name)}}), call);
    }
    connection.execute(render(index.sql, layout, {{"{concurrently}", "CONCURRENTLY"}}), call);
  } catch (const Error& error) {
    if (error.native() != "57014" || connection.broken()) throw;
    explain_timeout(connection, catalog, index, call);
  }
}

void check_built(Connection& connection, const IndexStep& index, const Call& call) {
  const Catalog catalog = read_catalog(connection, call);
  if (is_built(catalog, index)) return;
  throw Error(Code::internal, named(catalog, index) +
                                  " was built and is not valid; run "
                                  "`threadkeep setup` again");
}

}  // namespace

std::span<const IndexStep> indexes() {
  static constexpr std::array<IndexStep, 3> all = {{
      {step::index_run_id, "threadkeep_checkpoints_run_id", sql::setup_index_run_id,
       "(metadata ->> 'run_id'::text) where jsonb_typeof(metadata -> 'run_id'::text) = "
       "'string'::text AND length(metadata ->> 'run_id'::text) <= 512",
       true, "deleting runs reads every checkpoint"},
      {step::index_order, "threadkeep_checkpoints_order", sql::setup_index_order,
       "thread_id, checkpoint_ns, checkpoint_id collate C", false,
       "the latest checkpoint is found by sorting"},
      {step::index_thread, "threadkeep_checkpoints_thread", sql::setup_index_thread,
       "thread_id collate C", false, "listing threads reads every checkpoint"},
  }};
  return all;
}

bool is_wanted(const IndexStep& index, const Layout& layout) {
  return index.for_bytewise || !layout.bytewise;
}

bool is_built(const Catalog& catalog, const IndexStep& index) {
  const auto* found = catalog.find_index(index.name);
  if (!found) return false;
  check_definition(catalog, index, *found);
  return found->valid;
}

void ensure_index(Connection& connection, const IndexStep& index, const Call& call) {
  const Step& step = find_step(index.version);
  const Catalog catalog = read_catalog(connection, call);
  const Layout layout = layout_of(catalog);
  const std::string begin = render(record_begin(step), layout);
  const std::string finish = render(record_finish(step), layout);
  if (is_built(catalog, index) || !is_wanted(index, layout)) {
    if (!is_finished(catalog, step)) record(connection, begin + finish, call);
    return;
  }
  check_not_partitioned(catalog, index);
  record(connection, begin, call);
  build(connection, catalog, index, layout, call);
  check_built(connection, index, call);
  record(connection, finish, call);
}

}  // namespace threadkeep::postgres
