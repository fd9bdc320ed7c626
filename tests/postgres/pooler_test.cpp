// SPDX-License-Identifier: Apache-2.0
// A store behind PgBouncer in transaction mode: everything that the conformance suite asks for, and
// setup, which needs a way past it.
#include <gtest/gtest.h>

#include "chaos_store.hpp"
#include "mixed_load.hpp"
#include "threadkeep/testing/conformance.hpp"
#include "threadkeep/testing/pgbouncer.hpp"

namespace threadkeep::postgres_test {
namespace {

using testing::BackendSpec;
using testing::Pgbouncer;
using testing::PostgresServer;

Pgbouncer& bouncer() {
  static Pgbouncer bouncer(PostgresServer::shared());
  return bouncer;
}

std::string pooled_url(const std::string& schema) {
  return bouncer().url() + "?schema=" + schema;
}

std::string with_direct_url(const std::string& schema) {
  std::string direct;
  for (const char letter : PostgresServer::shared().url()) {
    direct += letter == ':' ? "%3A" : letter == '/' ? "%2F" : std::string(1, letter);
  }
  return pooled_url(schema) + "&direct_url=" + direct;
}

BackendSpec pooled_backend() {
  return {"postgres_pooled", [](const Environment& environment) {
            auto kept = std::make_shared<testing::StoreInSchema>(testing::bytewise_schemas(),
                                                                 with_direct_url, environment);
            return std::shared_ptr<Store>(kept, kept->store());
          }};
}

class Pooled : public ::testing::Test {
 protected:
  Schema schema_;
};

TEST_F(Pooled, setup_is_refused_while_there_is_work_and_names_the_remedy) {
  const auto backend = open_backend(pooled_url(schema_.name()));
  const auto error = must_fail([&] { backend->setup(Call()); });
  EXPECT_EQ(error.code(), Code::unsupported) << error.what();
  EXPECT_NE(error.message().find("direct_url"), std::string::npos) << error.what();
  apply(*backend, Draft("t", "1"));  // first use does all that an empty schema needs
  EXPECT_NO_THROW(backend->setup(Call()));
}

TEST_F(Pooled, store_keeps_messages_and_state) {
  const auto backend = open_backend(with_direct_url(schema_.name()));
  const auto scope = StateScope::of_thread("t");
  AppendMessages append;
  append.thread_id = "t";
  append.messages = {{"1", "user", "1", "{}"}, {"2", "assistant", "2", "{}"}};
  append.state = {{"k", StateChange::Kind::put, R"({"a": 1})", {}}};
  EXPECT_EQ(apply(*backend, append).messages.size(), 2U);
  EXPECT_EQ(apply(*backend, append).kept, 3U);
  const ChangeState merge{scope, {{"k", StateChange::Kind::merge, R"({"b": 2})", {}}}};
  EXPECT_EQ(apply(*backend, merge).versions, std::vector<std::int64_t>{2});
  const ChangeState same{scope, {{"k", StateChange::Kind::put, R"({"b": 2.0, "a": 1})", {}}}};
  EXPECT_EQ(apply(*backend, same).kept, 1U);
  MessageList list;
  list.thread_id = "t";
  list.filter = Filter::eq({"role"}, "\"user\"");
  EXPECT_EQ(backend->messages(list, Call()).items.size(), 1U);
  EXPECT_EQ(apply(*backend, PopMessages{"t", "", 1, "pop"}).messages.at(0).id, "2");
}

TEST_F(Pooled, store_is_set_up_past_the_pooler) {
  const auto backend = open_backend(with_direct_url(schema_.name()));
  EXPECT_NO_THROW(backend->setup(Call()));
  EXPECT_NO_THROW(apply(*backend, Draft("t", "1")));
  RawDatabase raw(schema_.url());
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints"), "1");
  EXPECT_GT(std::stoi(raw.value("SELECT count(*) FROM threadkeep_migrations "
                                "WHERE finished_at IS NOT NULL")),
            0);
}

TEST_F(Pooled, store_names_the_way_past_the_pooler_when_it_fails) {
  const auto backend = open_backend(pooled_url(schema_.name()) +
                                    "&direct_url=postgresql%3A//direct@127.0.0.1%3A1/beyond");
  const auto error = must_fail([&] { backend->setup(Call()); });
  EXPECT_NE(error.message().find("postgresql://direct@127.0.0.1:1/beyond"), std::string::npos)
      << error.what();
}

TEST_F(Pooled, store_works_again_after_the_pooler_was_restarted) {
  Pgbouncer own(PostgresServer::shared());
  const auto backend = open_backend(own.url() + "?schema=" + schema_.name());
  apply(*backend, Draft("t", "1"));
  own.restart();
  EXPECT_TRUE(backend->get({"t", "", {}, {}}, Call()));
}

TEST_F(Pooled, store_serves_many_threads_by_few_connections) {
  run_mixed_load(open(pooled_url(schema_.name()) + "&pool_size=8"));
}

}  // namespace
}  // namespace threadkeep::postgres_test

THREADKEEP_CONFORMANCE(threadkeep::postgres_test::pooled_backend())
