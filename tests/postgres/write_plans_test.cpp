// SPDX-License-Identifier: Apache-2.0
// How the server carries writes out. Plans are made without looking at the parameters, as on the
// connections of the backend.
#include <gtest/gtest.h>

#include <string>

#include "connection.hpp"
#include "read_statements.hpp"
#include "session_statements.hpp"
#include "store_fixture.hpp"
#include "threadkeep/url.hpp"
#include "write_statements.hpp"

namespace threadkeep::postgres_test {
namespace {

enum class Place {
  bytewise,  ///< Made by first use.
  icu,       ///< LangGraph's tables in another order than that of bytes, after setup.
};

void PrintTo(Place place, std::ostream* out) {
  *out << (place == Place::bytewise ? "bytewise" : "icu");
}

// A store of some size, filled once for all tests.
class FilledStore {
 public:
  explicit FilledStore(Place place)
      : FilledStore(place == Place::bytewise ? testing::bytewise_schemas() : testing::icu_schemas(),
                    place == Place::bytewise) {}

  static FilledStore& at(Place place) {
    static FilledStore bytewise(Place::bytewise);
    static FilledStore icu(Place::icu);
    return place == Place::bytewise ? bytewise : icu;
  }

  const postgres::WriteStatements& statements() const { return statements_; }
  const postgres::SessionStatements& session() const { return session_; }

  // As lines; `arguments` are SQL.
  Strings plan_of(const postgres::Statement& statement, const std::string& arguments) {
    raw_.run("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan");
    raw_.run("PREPARE write AS " + statement.sql());
    return raw_.run("EXPLAIN EXECUTE write (" + arguments + ")");
  }

 private:
  FilledStore(testing::PostgresSchemas& schemas, bool bytewise)
      : schema_(schemas.take()),
        raw_(schemas.url(schema_)),
        statements_(layout_of(schema_, bytewise)),
        session_(layout_of(schema_, bytewise)) {
    Registry::builtin().open(schemas.url(schema_))->setup(Call());
    fill();
  }

  static postgres::Layout layout_of(const std::string& schema, bool bytewise) {
    postgres::Layout layout;
    layout.schema = schema;
    layout.bytewise = bytewise;
    return layout;
  }

  // 200 threads of 100 checkpoints, each of which wrote one of ten channels.
  void fill() {
    raw_.run(
        "INSERT INTO checkpoints "
        "  (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint, metadata) "
        "SELECT 'thread ' || t, lpad(n::text, 8, '0'), lpad((n - 1)::text, 8, '0'), "
        "       jsonb_build_object('channel_versions', "
        "         (SELECT jsonb_object_agg('c' || c, n / 10) FROM generate_series(0, 9) AS c)), "
        "       jsonb_build_object('run_id', 'run ' || t || n / 5) "
        "FROM generate_series(1, 200) AS t, generate_series(1, 100) AS n;"
        "INSERT INTO checkpoint_blobs SELECT 'thread ' || t, '', 'c' || c, n::text, 'text', 'x' "
        "FROM generate_series(1, 200) AS t, generate_series(0, 9) AS c, "
        "     generate_series(0, 10) AS n;"
        "INSERT INTO checkpoint_writes "
        "  (thread_id, checkpoint_id, task_id, idx, channel, type, blob) "
        "SELECT thread_id, checkpoint_id, 'task', 0, 'c0', 'text', 'x' FROM checkpoints;"
        "INSERT INTO threadkeep_threads (thread_id, updated_at) "
        "SELECT 'thread ' || t, now() FROM generate_series(1, 5000) AS t;"
        "INSERT INTO threadkeep_tombstones "
        "SELECT 'thread ' || t, '0' FROM generate_series(1, 5000) AS t");
    raw_.run(
        "INSERT INTO threadkeep_streams "
        "SELECT 'thread ' || t, '', 100 FROM generate_series(1, 5000) AS t;"
        "INSERT INTO threadkeep_messages "
        "SELECT 'thread ' || t, '', n, 'm' || n, 'user', now(), 1, '{}', '1' "
        "FROM generate_series(1, 200) AS t, generate_series(1, 100) AS n;"
        "INSERT INTO threadkeep_state "
        "SELECT 'thread ' || t, 'k' || n, 1, 0, '1' "
        "FROM generate_series(1, 200) AS t, generate_series(1, 20) AS n;"
        "INSERT INTO threadkeep_operations "
        "SELECT 'thread ' || t, 'op' || n, 0, n, '{}' "
        "FROM generate_series(1, 200) AS t, generate_series(1, 20) AS n");
    raw_.run(
        "ANALYZE checkpoints, checkpoint_blobs, checkpoint_writes, threadkeep_threads, "
        "threadkeep_tombstones, threadkeep_streams, threadkeep_messages, threadkeep_state, "
        "threadkeep_operations");
  }

  const std::string schema_;
  RawDatabase raw_;
  const postgres::WriteStatements statements_;
  const postgres::SessionStatements session_;
};

std::string joined(const Strings& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

class WritePlans : public ::testing::TestWithParam<Place> {
 protected:
  // No table is read from end to end, be it by an index.
  void expect_lookups(const postgres::Statement& statement, const std::string& arguments) {
    const Strings plan = store_.plan_of(statement, arguments);
    const std::string text = joined(plan);
    EXPECT_EQ(text.find("Seq Scan"), std::string::npos) << text;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const bool by_index = plan[i].find("Index Scan") != std::string::npos ||
                            plan[i].find("Index Only Scan") != std::string::npos;
      if (!by_index) continue;
      ASSERT_LT(i + 1, plan.size()) << text;
      EXPECT_NE(plan[i + 1].find("Index Cond: "), std::string::npos) << plan[i] << "\n" << text;
    }
  }

  FilledStore& store_ = FilledStore::at(GetParam());
  const postgres::WriteStatements& statements_ = store_.statements();
};

INSTANTIATE_TEST_SUITE_P(, WritePlans, ::testing::Values(Place::bytewise, Place::icu),
                         ::testing::PrintToStringParamName());

const std::string thread_key = "'thread 1', '', '00000101', '00000100', '{}', '{}'";
const std::string blob_row = ", 'c0', '101', 'text', 'x'";

TEST_P(WritePlans, of_puts_are_lookups) {
  const std::string arguments = thread_key + ", now(), now()" + blob_row;
  expect_lookups(statements_.put.of(1), arguments);
  expect_lookups(statements_.put_latest.of(1), arguments);
  expect_lookups(statements_.put_blobs.of(1), thread_key + blob_row);
}

TEST_P(WritePlans, of_the_latest_checkpoint_read_one_row) {
  const std::string text =
      joined(store_.plan_of(statements_.put_latest.of(0), thread_key + ", now(), now()"));
  const std::string index =
      GetParam() == Place::bytewise ? "checkpoints_pkey" : "threadkeep_checkpoints_order";
  EXPECT_NE(text.find("Index Only Scan Backward using " + index), std::string::npos) << text;
  EXPECT_EQ(text.find("Sort"), std::string::npos) << text;
}

TEST_P(WritePlans, of_pending_writes_and_threads_are_lookups) {
  expect_lookups(statements_.put_writes.of(1),
                 "'thread 1', '', '00000101', now(), now(), 'task', 0, 'c0', '', 'text', 'x'");
  expect_lookups(statements_.put_thread, "'thread 1', '{}', now(), now()");
}

TEST_P(WritePlans, of_copying_and_deleting_a_thread_are_lookups) {
  expect_lookups(statements_.copy_thread, "'thread 1', 'copy', now(), now()");
  expect_lookups(statements_.delete_thread, "'thread 1'");
}

TEST_P(WritePlans, of_runs_are_lookups_in_their_index) {
  expect_lookups(statements_.threads_of_runs, "'{run 11,run 12}'");
  expect_lookups(statements_.nodes_of_threads, "'{thread 1}', '{run 11}'");
  expect_lookups(statements_.delta_values, "'{thread 1}'");
}

TEST_P(WritePlans, of_pruning_are_lookups) {
  expect_lookups(statements_.erase_checkpoints, "'{thread 1}', '{\"\"}', '{00000001}'");
  expect_lookups(statements_.erase_old_writes,
                 "'thread 1', '{\"\"}', '{00000100}', '{\"\"}', '{00000100}'");
  expect_lookups(statements_.collect_blobs, "'{thread 1}', '{\"\"}'");
}

const std::string one_change = "'{k1}', '{0}', '{1}', '{0}', '{-1}', false";

TEST_P(WritePlans, of_messages_and_state_are_lookups) {
  const auto& session = store_.session();
  expect_lookups(session.append.of(1),
                 "'thread 1', " + one_change +
                     ", now(), now(), '', 'op', 1, NULL, false, '{1}', 1, 'm', 'user', '{}', '1'");
  expect_lookups(session.of_thread.change, "'thread 1', " + one_change + ", now(), now()");
  expect_lookups(session.pop, "'thread 1', '', 10, 1000, 'op', 1, now(), now()");
  expect_lookups(session.remove, "'thread 1', now(), now(), '{m1,m2}'");
  expect_lookups(session.clear_stream, "'thread 1', now(), now(), ''");
  expect_lookups(session.update, "'thread 1', 'm1', '{}', '1', 2, now(), now()");
}

TEST_P(WritePlans, of_pages_of_messages_read_an_index_in_its_order) {
  const auto& session = store_.session();
  for (const auto* pages : {&session.forward, &session.backward}) {
    for (const auto* statement : {&pages->page, &pages->scan}) {
      expect_lookups(*statement, "'thread 1', '', 10, 1000, 0, 1000");
      const auto plan = joined(store_.plan_of(*statement, "'thread 1', '', 10, 1000, 0, 1000"));
      EXPECT_EQ(plan.find("Sort"), std::string::npos) << plan;
    }
    expect_lookups(pages->by_seqs, "'thread 1', '', 10, 1000, '{1,2,3}'");
  }
  expect_lookups(session.messages, "'thread 1', '{m1}'");
  expect_lookups(session.count, "'thread 1', '', 0");
  expect_lookups(session.of_thread.list, "'thread 1', '', 10, 1000");
}

class PlansOfSmallTables : public StoreFixture {
 protected:
  // As made by a connection of the backend.
  std::string plan_of(const postgres::Statement& statement, const std::string& arguments) {
    auto url = Url::parse(url_);
    postgres::Connection connection(postgres::read_settings(url), Call());
    connection.execute("PREPARE write AS " + statement.sql(), Call());
    const auto lines = connection.execute("EXPLAIN EXECUTE write (" + arguments + ")", Call());
    std::string plan;
    for (std::size_t row = 0; row < lines.size(); ++row) plan += lines.text(row, 0) + "\n";
    return plan;
  }
};

// They stay in use while the tables grow, until the server happens to analyze them again.
TEST_F(PlansOfSmallTables, are_lookups_too) {
  for (int i = 0; i < 20; ++i) write(Draft("t" + std::to_string(i), "1").value("a", "1", "x"));
  raw_.run("ANALYZE checkpoints, checkpoint_blobs, threadkeep_threads, threadkeep_tombstones");
  postgres::Layout layout;
  layout.schema = schema_;
  layout.bytewise = true;
  const postgres::WriteStatements statements(layout);
  const auto plan = plan_of(statements.put.of(1), thread_key + ", now(), now()" + blob_row);
  EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
  const postgres::ReadStatements reads(layout);
  const auto get = plan_of(reads.get(true, {}), "'t1', ''");
  EXPECT_EQ(get.find("Seq Scan"), std::string::npos) << get;
}

}  // namespace
}  // namespace threadkeep::postgres_test
