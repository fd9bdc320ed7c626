// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/pgbouncer.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "raw_database.hpp"

namespace threadkeep::postgres_test {
namespace {

using testing::Pgbouncer;
using testing::PostgresServer;

std::string backend_of(RawDatabase& database) {
  return database.value("SELECT pg_backend_pid()");
}

TEST(Pgbouncers, share_connections_of_the_server_between_clients) {
  const Pgbouncer bouncer(PostgresServer::shared(), {.pool_size = 1});
  RawDatabase one(bouncer.url());
  RawDatabase other(bouncer.url());
  EXPECT_EQ(backend_of(one), backend_of(other));
}

TEST(Pgbouncers, give_a_client_another_connection_for_its_next_transaction) {
  const Pgbouncer bouncer(PostgresServer::shared(), {.pool_size = 2});
  RawDatabase one(bouncer.url());
  RawDatabase other(bouncer.url());
  const auto before = backend_of(one);
  other.run("BEGIN");
  EXPECT_EQ(backend_of(other), before);
  EXPECT_NE(backend_of(one), before);
  other.run("COMMIT");
}

TEST(Pgbouncers, may_be_started_again) {
  Pgbouncer bouncer(PostgresServer::shared());
  RawDatabase before(bouncer.url());
  bouncer.restart();
  EXPECT_THROW(before.value("SELECT 1"), std::runtime_error);
  EXPECT_EQ(RawDatabase(bouncer.url()).value("SELECT 1"), "1");
}

}  // namespace
}  // namespace threadkeep::postgres_test
