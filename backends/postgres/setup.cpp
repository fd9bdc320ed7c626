// SPDX-License-Identifier: Apache-2.0
#include "setup.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "catalog.hpp"
#include "checks.hpp"
#include "indexes.hpp"
#include "langgraph_tables.hpp"
#include "ledger.hpp"
#include "postgres/sql.hpp"
#include "setup_session.hpp"
#include "template.hpp"
#include "threadkeep/absent_store.hpp"

namespace threadkeep::postgres {

namespace {

using namespace std::chrono_literals;

constexpr auto first_use_patience = 60s;
constexpr auto table_lock_patience = 60s;
// LangGraph's setup() commits table by table; it is given this long to get to its end.
constexpr auto partial_patience = 3s;

Catalog settled_catalog(Connection& connection, const Call& call) {
  Backoff backoff(partial_patience);
  for (;;) {
    Catalog catalog = read_catalog(connection, call);
    check_columns(catalog);
    check_none_gone(catalog);
    if (!is_partial(catalog) || !backoff.wait(call)) return catalog;
  }
}

void check(const Catalog& catalog) {
  check_schema(catalog);
  check_columns(catalog);
  check_none_gone(catalog);
  check_ledger(catalog);
}

void check_not_older(const Catalog& catalog, const Layout& layout) {
  if (is_fresh(catalog) || (layout.has_checkpoint_tables && layout.has_task_path)) return;
  const std::string version = layout.langgraph_version < 0
                                  ? "of an older version"
                                  : "at version " + std::to_string(layout.langgraph_version);
  throw Error(Code::unsupported, "LangGraph's tables in schema " + quote_identifier(layout.schema) +
                                     " are " + version +
                                     " and threadkeep needs its version 9; run "
                                     "`threadkeep setup`, which adds what is missing");
}

bool is_ready(const Layout& layout) {
  return layout.has_own_tables && layout.has_checkpoint_tables;
}

void record(SetupTransaction& transaction, int version, const Layout& layout) {
  const Step& step = find_step(version);
  transaction.execute(render(record_begin(step) + record_finish(step), layout));
}

void record_once(SetupTransaction& transaction, const Catalog& catalog, int version,
                 const Layout& layout) {
  if (!is_finished(catalog, find_step(version))) record(transaction, version, layout);
}

// What another program may do at the same moment without our lock: create the same table, hold a
// lock. Nothing is left of our transaction, and another look will tell.
bool is_collision(const Error& error) {
  constexpr std::array<std::string_view, 7> states = {"23505", "42P06", "42P07", "42710",
                                                      "40P01", "40001", "55P03"};
  return std::find(states.begin(), states.end(), error.native()) != states.end();
}

void create_langgraph_tables(SetupTransaction& transaction, const Layout& layout) {
  transaction.execute(render(all_langgraph_tables(), layout));
  record(transaction, step::langgraph_tables, layout);
  Layout fresh = layout;
  fresh.bytewise = true;
  for (const IndexStep& index : indexes()) {
    if (is_wanted(index, fresh)) {
      transaction.execute(render(index.sql, layout, {{"{concurrently}", ""}}));
    }
    record(transaction, index.version, layout);
  }
}

void create_missing(SetupTransaction& transaction, const Catalog& catalog) {
  const Layout layout = layout_of(catalog);
  if (!catalog.schema_exists) {
    transaction.execute("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(catalog.schema));
  }
  // Those that a store of an earlier version has are left as they are.
  if (!layout.has_own_tables) {
    transaction.execute(render(sql::setup_own_tables, layout));
    record_once(transaction, catalog, step::own_tables, layout);
    transaction.execute(render(sql::setup_session_tables, layout));
    record_once(transaction, catalog, step::session_tables, layout);
    transaction.execute(render(sql::setup_tombstone_times, layout));
    record_once(transaction, catalog, step::tombstone_times, layout);
  }
  if (is_fresh(catalog)) create_langgraph_tables(transaction, layout);
}

void check_may_create(const Catalog& catalog) {
  const std::string schema = quote_identifier(catalog.schema);
  if (catalog.read_only) {
    throw Error(Code::denied, "schema " + schema +
                                  " is not set up, and this server or session "
                                  "only reads; set it up through the primary");
  }
  if (catalog.may_create) return;
  throw lacks_rights(catalog, catalog.schema_exists
                                  ? "create tables in schema " + schema + " (CREATE)"
                                  : "create schema " + schema + " in database " +
                                        quote_identifier(catalog.database) + " (CREATE)");
}

[[noreturn]] void refuse_absent(const Catalog& catalog) {
  const std::string place = "schema " + quote_identifier(catalog.schema) + " of database " +
                            quote_identifier(catalog.database);
  if (!is_fresh(catalog)) {
    throw Error(Code::unavailable, place +
                                       " has tables of LangGraph's saver and not yet those that "
                                       "threadkeep adds; run `threadkeep setup`");
  }
  throw Error(Code::unavailable,
              "there is no store in " + place +
                  "; check the URL, or make a store there by `threadkeep setup`",
              absent_store);
}

// False when another session is at it.
bool try_create(Connection& connection, SetupLock& lock, const Call& call) {
  SetupTransaction transaction(connection, call);
  if (!lock.try_for_transaction()) return false;
  const Catalog catalog = read_catalog(connection, call);
  if (is_partial(catalog)) return false;
  check(catalog);
  if (!is_ready(layout_of(catalog))) {
    check_may_create(catalog);
    create_missing(transaction, catalog);
  }
  transaction.commit();
  return true;
}

bool try_create_again(Connection& connection, SetupLock& lock, bool last, const Call& call) {
  try {
    return try_create(connection, lock, call);
  } catch (const Error& error) {
    if (last || !is_collision(error)) throw;
    return false;
  }
}

void create_under_lock(Connection& connection, const Call& call) {
  SetupLock lock(connection, call);
  Backoff backoff(first_use_patience);
  bool last = false;
  while (!try_create_again(connection, lock, last, call)) {
    if (last) {
      const Catalog catalog = read_catalog(connection, call);
      check(catalog);
      check_not_older(catalog, layout_of(catalog));
      throw lock.busy();
    }
    last = !backoff.wait(call);
  }
}

// A role that may create tables may still lack a right on those of another owner.
template <class Work>
void explain_rights(const Catalog& catalog, Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.native() != "42501") throw;
    throw lacks_rights(catalog, "do what is missing in schema " + quote_identifier(catalog.schema) +
                                    ": " + error.message());
  }
}

bool is_current(const Layout& layout) {
  return layout.has_task_path && layout.blob_may_be_null;
}

bool is_complete(const Catalog& catalog) {
  const Layout layout = layout_of(catalog);
  const bool built = std::all_of(indexes().begin(), indexes().end(), [&](const IndexStep& index) {
    return is_built(catalog, index) || !is_wanted(index, layout);
  });
  return built && is_ready(layout) && is_current(layout) &&
         std::all_of(steps().begin(), steps().end(),
                     [&](const Step& step) { return is_finished(catalog, step); });
}

[[noreturn]] void table_is_in_use(Connection& connection, const std::string& table,
                                  const Call& call) {
  const Statement user{std::string(sql::setup_table_user)};
  Parameters parameters;
  parameters.text(table);
  const Result rows = connection.run(user, std::move(parameters), Effect::none, call);
  throw Error(Code::unavailable,
              table + " is in use and could not be changed" +
                  (rows.empty() ? "" : "; for longest by " + describe_process(rows)) +
                  "; run `threadkeep setup` again when its transactions are shorter",
              "55P03");
}

// The lock that a change of a table needs lets nobody pass while it is waited for, so each wait is
// short, and between them others come through.
void change_table(Connection& connection, const std::string& table, const std::string& sql,
                  const Call& call) {
  Backoff backoff(table_lock_patience, 500ms, 8s);
  for (;;) {
    try {
      SetupTransaction transaction(connection, call);
      transaction.execute(sql);
      return transaction.commit();
    } catch (const Error& error) {
      if (!is_collision(error)) throw;
    }
    if (!backoff.wait(call)) table_is_in_use(connection, table, call);
  }
}

void add_missing_tables(Connection& connection, const Call& call) {
  const Catalog catalog = read_catalog(connection, call);
  if (!is_partial(catalog)) return;
  change_table(connection, quote_identifier(catalog.schema) + ".checkpoint_blobs",
               render(missing_langgraph_tables(), layout_of(catalog)), call);
}

void upgrade_langgraph_tables(Connection& connection, const Call& call) {
  const Catalog catalog = read_catalog(connection, call);
  const Layout layout = layout_of(catalog);
  const Step& step = find_step(step::langgraph_tables);
  const std::string schema = quote_identifier(catalog.schema) + ".";
  if (!layout.blob_may_be_null) {
    change_table(connection, schema + "checkpoint_blobs", render(sql::setup_langgraph_blob, layout),
                 call);
  }
  if (!layout.has_task_path) {
    std::string change(sql::setup_langgraph_task_path);
    if (layout.langgraph_version >= 0) change += sql::setup_langgraph_record;
    change_table(connection, schema + "checkpoint_writes", render(change, layout), call);
  }
  if (is_current(layout) && is_finished(catalog, step)) return;
  SetupTransaction transaction(connection, call);
  record(transaction, step.version, layout);
  transaction.commit();
}

void check_not_pooled(const Connection& connection) {
  if (!connection.pooled()) return;
  throw Error(Code::unsupported,
              "setup has work to do, which needs a session of its own, and a pooler is between; "
              "give the server's own address with direct_url=, which is used for setup only");
}

void complete(Connection& connection, const Call& call) {
  SetupLock lock(connection, call);
  lock.hold();
  add_missing_tables(connection, call);
  create_under_lock(connection, call);
  upgrade_langgraph_tables(connection, call);
  for (const IndexStep& index : indexes()) ensure_index(connection, index, call);
}

}  // namespace

Layout prepare_first_use(Connection& connection, const Call& call, FirstUse first_use) {
  const Catalog catalog = settled_catalog(connection, call);
  check(catalog);
  Layout layout = layout_of(catalog);
  check_not_older(catalog, layout);
  if (is_ready(layout)) return layout;
  // A store that an older version made gets what it lacks.
  if (first_use == FirstUse::refuses && catalog.ledger.empty()) refuse_absent(catalog);
  check_may_create(catalog);
  explain_rights(catalog, [&] { create_under_lock(connection, call); });
  return read_layout(connection, call);
}

Layout look_at_store(Connection& connection, const Call& call) {
  const Catalog catalog = read_catalog(connection, call);
  check_schema(catalog);
  check_ledger(catalog);
  return layout_of(catalog);
}

void run_setup(Connection& connection, const Call& call) {
  const Catalog catalog = settled_catalog(connection, call);
  check(catalog);
  if (is_complete(catalog)) return;
  check_not_pooled(connection);
  explain_rights(catalog, [&] { complete(connection, call); });
}

}  // namespace threadkeep::postgres
