// SPDX-License-Identifier: Apache-2.0
// What is decided behind a lock is decided by what its last holder left.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "store_fixture.hpp"
#include "threadkeep/testing/pgbouncer.hpp"

namespace threadkeep::postgres_test {
namespace {

class ThreadLocks : public StoreFixture {
 protected:
  using StoreFixture::StoreFixture;

  // Begins `mutation` while another program deletes thread "t" behind its lock; how it ends.
  Outcome apply_during_deletion(Backend& backend, const Mutation& mutation) {
    raw_.run("BEGIN");
    raw_.run("SELECT pg_advisory_xact_lock(" + lock_key("t") + ")");
    auto outcome = std::async(std::launch::async, [&] {
      return backend.apply({&mutation, 1}, Call()).front();
    });
    await_waiting_session();
    raw_.run(
        "INSERT INTO threadkeep_tombstones VALUES ('t', '1');"
        "DELETE FROM checkpoints; DELETE FROM threadkeep_threads");
    raw_.run("COMMIT");
    return outcome.get();
  }

  void expect_no_put_goes_on_from_what_is_deleted(Backend& backend) {
    write(Draft("t", "1"));
    const auto put = apply_during_deletion(backend, Draft("t", "2").parent("1"));
    ASSERT_TRUE(put.error);
    EXPECT_EQ(put.error->code(), Code::conflict) << put.error->what();
    EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoints"), "0");
  }

  // A mutation that must wait while another program has `lock` of thread "t".
  void expect_to_wait(const std::string& lock, const Mutation& mutation) {
    raw_.run("BEGIN");
    raw_.run("SELECT " + lock + "(" + lock_key("t") + ")");
    auto outcome = std::async(std::launch::async, [&] { return apply(mutation); });
    await_waiting_session();
    raw_.run("COMMIT");
    EXPECT_FALSE(outcome.get().error);
  }
};

TEST_F(ThreadLocks, a_put_does_not_go_on_from_what_is_being_deleted) {
  expect_no_put_goes_on_from_what_is_deleted(*backend_);
}

TEST_F(ThreadLocks, writes_for_what_is_being_deleted_are_dropped) {
  write(Draft("t", "1"));
  const auto writes =
      apply_during_deletion(*backend_, PutWrites{"t", "", "1", {pending("task", 0, "a", "late")}});
  EXPECT_EQ(writes.written, (Written{.dropped = 1}));
  EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_writes"), "0");
}

TEST_F(ThreadLocks, a_demand_for_the_latest_parent_sees_what_came_before_it) {
  write(Draft("t", "1"));
  raw_.run("BEGIN");
  raw_.run("SELECT pg_advisory_xact_lock_shared(" + lock_key("t") + ")");
  auto late = std::async(std::launch::async, [&] {
    return apply(Draft("t", "3").parent("1").require_latest_parent());
  });
  await_waiting_session();
  raw_.run("INSERT INTO checkpoints VALUES ('t', '', '2', '1', NULL, '{}', '{}')");
  raw_.run("COMMIT");
  const auto outcome = late.get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::conflict);
}

TEST_F(ThreadLocks, are_shared_by_puts) {
  raw_.run("BEGIN");
  raw_.run("SELECT pg_advisory_xact_lock_shared(" + lock_key("t") + ")");
  write(Draft("t", "1"));
  write(PutWrites{"t", "", "1", {pending("task", 0, "a", "x")}});
  write(PutThread{"t", R"({"n": 1})"});
  write(CopyThread{"t", "copy"});
  raw_.run("COMMIT");
}

TEST_F(ThreadLocks, keep_puts_out_during_a_deletion) {
  write(Draft("t", "1"));
  expect_to_wait("pg_advisory_xact_lock", Draft("t", "2").parent("1"));
  expect_to_wait("pg_advisory_xact_lock", PutWrites{"t", "", "1", {pending("a", 0, "a", "x")}});
  expect_to_wait("pg_advisory_xact_lock", PutThread{"t", "{}"});
  expect_to_wait("pg_advisory_xact_lock", CopyThread{"t", "copy"});
}

TEST_F(ThreadLocks, keep_deletions_out_during_a_put) {
  const std::string share = "pg_advisory_xact_lock_shared";
  write(Draft("t", "1").metadata(R"({"run_id": "r"})"));
  write(Draft("other", "1"));
  expect_to_wait(share, Prune{"t"});
  expect_to_wait(share, CopyThread{"other", "t"});
  expect_to_wait(share, Draft("t", "2").parent("1").require_latest_parent());
  expect_to_wait(share, DeleteRuns{{"r"}});
  expect_to_wait(share, DeleteThread{"t"});
}

// Their statements decide alike only while nobody comes between them.
TEST_F(ThreadLocks, keep_others_out_during_a_mutation_of_several_statements) {
  const std::string share = "pg_advisory_xact_lock_shared";
  Draft put("t", "1");
  PutWrites writes{"t", "", "1", {}};
  for (int i = 0; i < 1'500; ++i) {
    put.value("channel" + std::to_string(i), "1", "x");
    writes.writes.push_back(pending("task", i, "a", "x"));
  }
  expect_to_wait(share, put);
  expect_to_wait(share, writes);
}

// Two who take the locks of the same threads must not wait for each other in a circle.
TEST_F(ThreadLocks, are_taken_in_the_order_of_their_numbers) {
  const std::vector<std::string> threads{"a", "b", "c", "d", "e", "f"};
  std::vector<std::int64_t> keys;
  std::vector<Mutation> mutations;
  for (const auto& thread : threads) {
    keys.push_back(postgres::lock_key(schema_, thread));
    mutations.emplace_back(Draft(thread, "1"));
  }
  std::sort(keys.begin(), keys.end());
  raw_.run("BEGIN");
  raw_.run("SELECT pg_advisory_xact_lock(" + std::to_string(keys[3]) + ")");
  auto batch = std::async(std::launch::async, [&] { return backend_->apply(mutations, Call()); });
  await_waiting_session();
  Strings held;
  for (const std::string& row : RawDatabase(url_).run(
           "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks "
           "WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' "
           "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
           "ORDER BY 1")) {
    held.push_back(row);
  }
  raw_.run("COMMIT");
  batch.wait();
  EXPECT_EQ(held,
            (Strings{std::to_string(keys[0]), std::to_string(keys[1]), std::to_string(keys[2])}));
}

TEST_F(ThreadLocks, have_numbers_that_never_change) {
  EXPECT_EQ(postgres::lock_key("public", "thread"), -3606009953833490628);
  EXPECT_NE(postgres::lock_key("public", "thread"), postgres::lock_key("publict", "hread"));
}

// A database that gives every transaction one snapshot would hide what was left behind the lock.
class LocksWithOneSnapshot : public ThreadLocks {
 protected:
  LocksWithOneSnapshot() : ThreadLocks(schemas()) {}

  static testing::PostgresSchemas& schemas() {
    static testing::PostgresSchemas schemas(testing::PostgresServer::shared(), database());
    return schemas;
  }
  static const std::string& database() {
    static const std::string name = [] {
      auto& server = testing::PostgresServer::shared();
      auto created = server.create_database();
      server.run("ALTER DATABASE " + created +
                 " SET default_transaction_isolation = 'repeatable read'");
      return created;
    }();
    return name;
  }
};

TEST_F(LocksWithOneSnapshot, a_put_does_not_go_on_from_what_is_being_deleted) {
  expect_no_put_goes_on_from_what_is_deleted(*backend_);
}

TEST_F(LocksWithOneSnapshot, behind_a_pooler_a_put_does_not_go_on_from_what_is_being_deleted) {
  const testing::Pgbouncer bouncer(testing::PostgresServer::shared());
  const auto pooled = Registry::builtin().open(bouncer.url(database()) + "?schema=" + schema_);
  expect_no_put_goes_on_from_what_is_deleted(*pooled);
}

}  // namespace
}  // namespace threadkeep::postgres_test
