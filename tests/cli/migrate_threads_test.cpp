// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier with places that have threads and no tables.
#include <unistd.h>

#include <thread>

#include "migrate_fixture.hpp"
#include "threadkeep/retention_host.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/table_store.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "threadkeep/threadkeep.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;

class MigrateThreads : public Cli {
 protected:
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }
  static void fill(const std::string& place) {
    const auto store = open(place);
    store->write(PutThread{"ada", R"({"title": "first"})"}, {});
    store->write(testing::Draft("ada", "1").value("messages", "1", "hello"), {});
    store->write(testing::Draft("ada", "2").value("messages", "2", "you"), {});
    store->write(testing::Draft("bob", "1").value("messages", "1", "hello"), {});
  }
  std::string migrate(const std::string& from, const std::string& tier, const std::string& to,
                      int status = done) const {
    return run({"migrate-tier", "--from", from, "--to", tier, "--target-url", to, "--yes"}, status);
  }
  static std::string history(const std::string& place) {
    return run({"threads", "history", "ada", "--json", "--url", place}, done);
  }

  const std::string postgres = server().url(server().create_database());
};

#ifdef THREADKEEP_TEST_REDIS
TEST_F(MigrateThreads, go_from_redis_to_postgres_and_back) {
  const auto first = testing::RedisServer::shared().url("prefix=migrated1");
  const auto second = testing::RedisServer::shared().url("prefix=migrated2");
  fill(first);
  const auto printed = migrate(first, "standalone", postgres);
  EXPECT_TRUE(contains(printed, "Analyzing source tier: redis")) << printed;
  EXPECT_TRUE(contains(printed, "checkpoints (of the store): 3 rows")) << printed;
  EXPECT_TRUE(contains(printed, "Verified: ")) << printed;
  EXPECT_TRUE(contains(migrate(postgres, "standalone", second), "threads (of the store): 2 rows"));
  EXPECT_EQ(history(second), history(first));
  // Once more there is nothing to do.
  EXPECT_TRUE(contains(migrate(first, "standalone", postgres), "COMPLETE. 0 rows migrated"));
}
#endif

#ifdef THREADKEEP_TEST_REDIS
// A store without tables is locked by a key, one with tables as it is for tables.
TEST_F(MigrateThreads, are_copied_by_one_at_a_time) {
  const auto redis = testing::RedisServer::shared().url("prefix=locked");
  fill(url);
  const auto target = open(redis);
  auto lock = target->retention()->transfer()->lock(0ms, {}, Call());
  const Arguments command = {"migrate-tier", "--from", url,     "--to",     "local",
                             "--target-url", redis,    "--yes", "--no-wait"};
  const auto refused = run(command, usage);
  EXPECT_TRUE(contains(refused, "process " + std::to_string(getpid()) + " on host ")) << refused;
  EXPECT_TRUE(contains(refused, lock->name())) << refused;
  EXPECT_FALSE(target->thread({"ada"}, {}));
  lock.reset();
  EXPECT_TRUE(contains(run(command, done), "Lock: the key locked:{meta}:migration"));

  const auto held = tables::open_database(postgres, Call())->lock(0ms, {}, Call());
  const auto back = run({"migrate-tier", "--from", redis, "--to", "standalone", "--target-url",
                         postgres, "--yes", "--lock-timeout", "1s"},
                        usage);
  EXPECT_TRUE(contains(back, held->name() + " is held by process ")) << back;
}

TEST_F(MigrateThreads, go_no_further_without_the_lock) {
  auto& redis = testing::RedisServer::shared();
  const auto store = open(url);
  for (int number = 0; number < 2000; ++number) {
    store->write(
        testing::Draft("thread " + std::to_string(number), "1").value("messages", "1", "x"), {});
  }
  testing::Program program({THREADKEEP_COMMAND, "migrate-tier", "--from", url, "--to", "local",
                            "--target-url", redis.url("prefix=lost"), "--yes"});
  while (redis.run({"DEL", "lost:{meta}:migration"}) != "1") std::this_thread::sleep_for(1ms);
  EXPECT_EQ(program.wait(), interrupted) << program.output();
  EXPECT_TRUE(contains(program.output(), "the migration lock, ")) << program.output();
  EXPECT_TRUE(contains(migrate(url, "local", redis.url("prefix=lost")), "Verified: "));
}
#endif

TEST_F(MigrateThreads, go_into_a_new_file) {
  fill(url);
  const std::string file = directory.path() / "threads.jsonl.zst";
  run({"threads", "export", "--all", "--url", url, "--output", file}, done);
  const std::string target = "sqlite:" + (directory.path() / "new.db").string();
  const auto dry = run(
      {"migrate-tier", "--from", file, "--to", "local", "--target-url", target, "--dry-run"}, done);
  EXPECT_TRUE(contains(dry, "threads (of the store): 2 rows")) << dry;
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "new.db"));
  EXPECT_TRUE(contains(migrate(file, "standalone", target, usage), "say --to local"));
  EXPECT_TRUE(contains(migrate(file, "local", target), "Verified: "));
  EXPECT_EQ(history(target), history(url));
}

TEST_F(MigrateThreads, have_no_way_into_or_out_of_memory) {
  fill(url);
  EXPECT_TRUE(contains(migrate(url, "local", "memory:", usage), "export its threads"));
  EXPECT_TRUE(contains(migrate("memory:", "local", url, usage), "export its threads"));
}

TEST_F(MigrateThreads, come_from_an_address_that_can_be_right) {
  for (const std::string& from : {std::string("nosuch:a.db"), url + "?nosuch=1",
                                  std::string("redis://host:nosuch"), std::string("app.db")}) {
    const auto printed = migrate(from, "standalone", postgres, usage);
    EXPECT_TRUE(contains(printed, "the source cannot be opened: url")) << printed;
    EXPECT_TRUE(contains(printed, "mend --from")) << printed;
  }
}

TEST_F(MigrateThreads, come_out_of_an_export) {
  fill(url);
  const std::string file = directory.path() / "threads.jsonl.zst";
  run({"threads", "export", "--all", "--url", url, "--output", file}, done);
  const auto dry = run({"migrate-tier", "--from", "archive:" + file, "--to", "standalone",
                        "--target-url", postgres, "--dry-run"},
                       done);
  EXPECT_TRUE(contains(dry, "Analyzing source tier: archive")) << dry;
  EXPECT_TRUE(contains(dry, "checkpoints (of the store): 3 rows")) << dry;
  const auto printed = migrate(file, "standalone", postgres);
  EXPECT_TRUE(contains(printed, "Analyzing source tier: archive")) << printed;
  EXPECT_TRUE(contains(printed, "Verified: ")) << printed;
  EXPECT_EQ(history(postgres), history(url));
  run({"migrate-tier", "verify", "--from", "archive:" + file, "--to", "standalone", "--target-url",
       postgres},
      done);
}

TEST_F(MigrateThreads, of_a_damaged_export_are_not_migrated) {
  fill(url);
  const std::string file = directory.path() / "threads.jsonl.zst";
  run({"threads", "export", "--all", "--url", url, "--output", file}, done);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 10);
  EXPECT_TRUE(contains(migrate("archive:" + file, "standalone", postgres, source_failed),
                       "the source cannot be read"));
  EXPECT_TRUE(contains(migrate("archive:/nosuch", "standalone", postgres, source_failed),
                       "cannot read the archive '/nosuch'"));
}

/// A source whose threads cannot be read to their end.
class UnreadableThreads : public MigrateThreads {
 protected:
  static void fill_much(const std::string& place) {
    const auto store = open(place);
    for (int number = 0; number < 60; ++number) {
      store->write(testing::Draft("thread " + std::to_string(number), "1")
                       .value("messages", "1", std::string(20'000, 'x')),
                   {});
    }
  }
  static std::string new_database() { return server().url(server().create_database()); }

  // In the copy and in the comparison after it, by how much the source has sent.
  void expect_source_errors(testing::TcpProxy& proxy, const std::string& from,
                            const std::string& to) const {
    const auto sent = [&] { return proxy.counts().to_client; };
    run({"migrate-tier", "--from", from, "--to", "standalone", "--target-url", to, "--dry-run"},
        done);
    const auto dry = sent();
    migrate(from, "standalone", new_database());
    const auto all = sent() - dry;
    for (const int part : {1, 3}) {
      SCOPED_TRACE(part);
      proxy.cut_after(testing::TcpProxy::Direction::to_client, dry + (all - dry) / 4 * part);
      const auto printed = migrate(from, "standalone", to, source_failed);
      EXPECT_TRUE(contains(printed, "the source cannot be read: ")) << printed;
      EXPECT_EQ(contains(printed, "threads (of the store): "), part == 3) << printed;
    }
    EXPECT_TRUE(contains(migrate(from, "standalone", to), "Verified: "));
  }
};

TEST_F(UnreadableThreads, of_a_server_that_goes_away) {
  const std::string source = new_database();
  fill_much(source);
  testing::TcpProxy proxy(server().port());
  expect_source_errors(proxy, proxy.in_front_of(source), postgres);
}

#ifdef THREADKEEP_TEST_REDIS
TEST_F(UnreadableThreads, of_redis_that_goes_away) {
  auto& redis = testing::RedisServer::shared();
  fill_much(redis.url("prefix=unreadable"));
  testing::TcpProxy proxy(redis.port());
  expect_source_errors(proxy, proxy.in_front_of(redis.url("prefix=unreadable")), postgres);
}
#endif

// The others are copied, and the run goes on once the source is mended.
TEST_F(UnreadableThreads, that_are_damaged) {
  fill(url);
  const auto damage = [&](const std::string& sql) {
    testing::run_program({"sqlite3", directory.path() / "threads.db", sql});
  };
  damage("UPDATE checkpoints SET checkpoint = '{' WHERE thread_id = 'bob'");
  const auto printed = migrate(url, "standalone", postgres, source_failed);
  EXPECT_TRUE(contains(printed, "DIFFERENCE: thread bob: unreadable: ")) << printed;
  EXPECT_TRUE(contains(printed, "the source cannot be read: 1 thread told above")) << printed;
  EXPECT_EQ(history(postgres), history(url));
  run({"migrate-tier", "verify", "--from", url, "--to", "standalone", "--target-url", postgres},
      source_failed);
  run({"threads", "delete", "bob", "--yes", "--url", url}, done);
  const auto after = migrate(url, "standalone", postgres);
  EXPECT_TRUE(contains(after, "Goes on with run")) << after;
  EXPECT_TRUE(contains(after, "Verified: ")) << after;
}

}  // namespace
}  // namespace threadkeep
