// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "tables_support.hpp"
#include "threadkeep/testing/pgbouncer.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;

class TablesStreamTest : public TablesTest {
 protected:
  TablesStreamTest() {
    in_both("CREATE TABLE t (id integer PRIMARY KEY, v text)");
    table_ = describe(source_url, "t");
  }
  /// 20,000 rows of about 1 KB: more than the buffers of both sides hold.
  void fill() {
    source.run("INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n");
  }
  std::unique_ptr<tables::RowReader> reader(tables::Snapshot& snapshot) {
    return snapshot.read(table_, {.columns = {"id", "v"}, .from = {}, .without_expired = {}},
                         Call());
  }
  /// Returns when the sessions of the source are in this state. Throws after a while.
  void await(const std::string& condition) {
    const Deadline deadline = Deadline::after(20s);
    const std::string sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "pid <> pg_backend_pid() AND " +
        condition;
    while (source.value(sql) == "0") {
      if (deadline.passed()) throw std::runtime_error("never: " + condition);
      std::this_thread::sleep_for(5ms);
    }
  }

  testing::TcpProxy proxy_{server().port()};
  Table table_;
};

TEST_F(TablesStreamTest, TheServerWaitsWhileNobodyReads) {
  fill();
  const auto snapshot = source_database->snapshot(Call());
  const auto rows = reader(*snapshot);
  EXPECT_EQ(rows->next(1, 1, Call())->rows, 1U);
  await("query LIKE 'COPY%' AND wait_event = 'ClientWrite'");
  std::uint64_t count = 1;
  while (const auto batch = rows->next(1'000'000, 100'000, Call())) {
    EXPECT_LT(batch->lines.size(), 102'000U);
    count += batch->rows;
  }
  EXPECT_EQ(count, 20'000U);
  EXPECT_FALSE(rows->next(1, 1, Call()));
  EXPECT_EQ(snapshot->count(table_, Call()), 20'000U);
}

TEST_F(TablesStreamTest, AReadEndsWithItsTime) {
  fill();
  const auto database = tables::open_database(proxy_.in_front_of(source_url), Call());
  const auto snapshot = database->snapshot(Call());
  const auto rows = reader(*snapshot);
  rows->next(1, 1, Call());
  proxy_.fall_silent();
  const auto to_the_end = [&] {
    while (rows->next(1000, 1 << 20, call_within(300ms))) {
    }
  };
  EXPECT_EQ(error_of(to_the_end).code(), Code::timeout);
  EXPECT_EQ(error_of([&] { snapshot->count(table_, Call()); }).code(), Code::unavailable);
}

TEST_F(TablesStreamTest, AReadEndsWhenTheCallerStops) {
  fill();
  const auto database = tables::open_database(proxy_.in_front_of(source_url), Call());
  const auto snapshot = database->snapshot(Call());
  const auto rows = reader(*snapshot);
  rows->next(1, 1, Call());
  proxy_.fall_silent();
  std::stop_source stopping;
  const Call call{.deadline = Deadline::never(), .stop = stopping.get_token()};
  std::jthread stopper([&] { stopping.request_stop(); });
  const auto to_the_end = [&] {
    while (rows->next(1000, 1 << 20, call)) {
    }
  };
  EXPECT_EQ(error_of(to_the_end).code(), Code::cancelled);
}

TEST_F(TablesStreamTest, AConnectionThatIsLostEndsTheRead) {
  fill();
  const auto database = tables::open_database(proxy_.in_front_of(source_url), Call());
  const auto snapshot = database->snapshot(Call());
  const auto rows = reader(*snapshot);
  rows->next(1, 1, Call());
  proxy_.cut();
  const auto to_the_end = [&] {
    while (rows->next(1000, 1 << 20, Call())) {
    }
  };
  EXPECT_EQ(error_of(to_the_end).code(), Code::unavailable);
}

TEST_F(TablesStreamTest, ASessionThatIsEndedSaysWhy) {
  fill();
  const auto snapshot = source_database->snapshot(Call());
  const auto rows = reader(*snapshot);
  rows->next(1, 1, Call());
  source.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND query LIKE 'COPY%' AND pid <> pg_backend_pid()");
  const auto to_the_end = [&] {
    while (rows->next(1000, 1 << 20, Call())) {
    }
  };
  EXPECT_EQ(error_of(to_the_end).code(), Code::unavailable);
}

TEST_F(TablesStreamTest, AReaderThatIsGivenUpEndsTheServersWork) {
  fill();
  const auto snapshot = source_database->snapshot(Call());
  reader(*snapshot)->next(1, 1, Call());
  EXPECT_EQ(error_of([&] { snapshot->count(table_, Call()); }).code(), Code::unavailable);
  source_database->snapshot(Call())->count(table_, Call());
}

TEST_F(TablesStreamTest, ATableThatIsGoneIsAnErrorAndNotTheEnd) {
  const auto snapshot = source_database->snapshot(Call());
  source.run("DROP TABLE t");
  const Error error = error_of([&] { reader(*snapshot); });
  EXPECT_EQ(error.code(), Code::conflict);
  EXPECT_FALSE(contains(error.message(), "setup")) << error.message();
}

TEST_F(TablesStreamTest, AWriteEndsWithItsTime) {
  const auto database = tables::open_database(proxy_.in_front_of(target_url), Call());
  const auto out = database->writer(Call());
  tables::Run run;
  run.id = run_id;
  out->begin_run(run, Call());
  const Target wanted = target_for("t");
  std::string lines;
  for (int i = 1; i <= 8000; ++i) lines += std::to_string(i) + "\t" + std::string(1000, 'x') + "\n";
  const Batch batch{.lines = std::move(lines), .rows = 8000, .end = "=8000"};
  proxy_.fall_silent_after(testing::TcpProxy::Direction::to_server, 2'000'000);
  TableProgress progress;
  progress.table = "t";
  const auto write = [&] {
    out->write(wanted, batch, run_id, progress, 0, {}, call_within(500ms));
  };
  EXPECT_EQ(error_of(write).code(), Code::timeout);
  EXPECT_EQ(progress.counts, Counts());
  EXPECT_EQ(target.value("SELECT count(*) FROM t"), "0");
}

TEST_F(TablesStreamTest, AWriteThatMeetsALockEndsWithItsTime) {
  target.run("INSERT INTO t VALUES (1, 'old')");
  source.run("INSERT INTO t VALUES (1, 'new')");
  const Target wanted = target_for("t");
  const auto batches = read(wanted);
  TableProgress progress;
  progress.table = "t";
  auto& out = writer();
  RawDatabase holder(target_url);
  holder.run("BEGIN; SELECT * FROM t FOR UPDATE");
  const auto write = [&] {
    out.write(wanted, batches.at(0), run_id, progress, 0, {}, call_within(300ms));
  };
  EXPECT_EQ(error_of(write).code(), Code::timeout);
}

TEST_F(TablesStreamTest, AValueOfManyMegabytes) {
  source.run("INSERT INTO t VALUES (1, repeat(E'tab\\t', 10000000)), (2, 'small')");
  EXPECT_EQ(copy("t"), (Counts{.inserted = 2}));
  EXPECT_EQ(target.value("SELECT md5(v) FROM t WHERE id = 1"),
            source.value("SELECT md5(v) FROM t WHERE id = 1"));
}

TEST_F(TablesStreamTest, PastAPoolerByTheDirectUrlOnly) {
  const testing::Pgbouncer bouncer(server());
  const std::string database = source.value("SELECT current_database()");
  const std::string pooled = bouncer.url(database);
  const Error error = error_of([&] { tables::open_database(pooled, Call()); });
  EXPECT_EQ(error.code(), Code::unsupported);
  EXPECT_TRUE(contains(error.message(), "direct_url=")) << error.message();
  std::string direct;
  for (const char letter : source_url) {
    direct += letter == ':' ? "%3A" : letter == '/' ? "%2F" : std::string(1, letter);
  }
  const auto opened = tables::open_database(with(pooled, "direct_url=" + direct), Call());
  EXPECT_EQ(opened->info(Call()).identity, source_database->info(Call()).identity);
  // What a session is given for copying stays with none of the pooler's.
  EXPECT_EQ(RawDatabase(pooled).value("SELECT current_setting('row_security')"), "on");
}

}  // namespace
}  // namespace threadkeep::postgres_test
