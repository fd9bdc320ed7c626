// SPDX-License-Identifier: Apache-2.0
// What a schema and its server say when they are examined.
#include <gtest/gtest.h>

#include "examined.hpp"
#include "setup_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using testing::examined;
using PostgresExamine = SetupTest;

TEST_F(PostgresExamine, finds_a_store_that_is_set_up_good) {
  for (const auto* subject :
       {"store", "setup", "rights", "clock", "connections", "indexes", "vacuum"}) {
    EXPECT_EQ(examined(url, subject), "good") << subject;
  }
}

TEST_F(PostgresExamine, finds_that_a_crash_may_destroy_everything) {
  EXPECT_TRUE(examined(url, "durability").starts_with("problem: fsync")) << "as tests set it";
}

TEST_F(PostgresExamine, finds_that_the_last_writes_may_be_lost) {
  PostgresServer durable({.durable = true, .settings = {}});
  const auto place = durable.url(durable.create_database());
  EXPECT_EQ(examined(place, "durability"), "good");
  EXPECT_TRUE(examined(with(place, "options=-csynchronous_commit%3Doff"), "durability")
                  .starts_with("warning: synchronous_commit is off"));
}

TEST_F(PostgresExamine, finds_rights_that_a_role_lacks) {
  first_use();
  const auto own = role("examined_reader");
  raw.run("GRANT USAGE ON SCHEMA public TO examined_reader");
  raw.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO examined_reader");
  const auto rights = examined(own, "rights");
  EXPECT_TRUE(rights.starts_with("problem: the role may not read and write ")) << rights;
  EXPECT_NE(rights.find("checkpoint_writes"), std::string::npos) << rights;
}

TEST_F(PostgresExamine, finds_a_session_that_takes_no_writes) {
  first_use();
  raw.run("ALTER DATABASE " + database + " SET default_transaction_read_only = on");
  const auto rights = examined(url, "rights");
  EXPECT_TRUE(rights.starts_with("problem: ")) << rights;
}

TEST_F(PostgresExamine, finds_an_index_that_is_not_finished) {
  first_use();
  raw.run("CREATE INDEX half_built ON checkpoints (checkpoint_id)");
  server().run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half_built'::regclass",
               database);
  EXPECT_EQ(examined(url, "indexes"), "problem: not finished or broken: half_built");
}

TEST_F(PostgresExamine, warns_of_what_setup_has_left_to_do) {
  raw.run(langgraph_tables(9));
  const auto left = examined(url, "setup");
  EXPECT_TRUE(left.starts_with("warning: ")) << left;
  setup();
  EXPECT_EQ(examined(url, "setup"), "good");
}

TEST_F(PostgresExamine, reports_a_server_that_is_not_there) {
  EXPECT_TRUE(examined("postgresql://127.0.0.1:1/nobody", "store").starts_with("problem: "));
}

}  // namespace
}  // namespace threadkeep::postgres_test
