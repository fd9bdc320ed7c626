// SPDX-License-Identifier: Apache-2.0
// What a connection and its pool do when a call ends badly.
#include "sqlite/connection.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <future>
#include <thread>

#include "sqlite/database.hpp"
#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using sqlite::Connection;
using sqlite::Pool;
using namespace std::chrono_literals;

Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  throw std::runtime_error("an error was expected");
}

// The pages of a small transaction are written by its COMMIT, which so meets the limit.
void fail_commit_then_run_late(const std::filesystem::path& file) {
  signal(SIGXFSZ, SIG_IGN);
  const sqlite::Settings settings{.path = file.string()};
  const Call call;
  Connection connection(settings, Connection::Purpose::write, Connection::Missing::create, call);
  connection.run_script("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
  const rlimit tight{64 * 1024, RLIM_INFINITY};
  require(setrlimit(RLIMIT_FSIZE, &tight) == 0, "setrlimit");
  connection.begin_write();
  connection.execute("INSERT INTO t VALUES (zeroblob(500000))");
  require(code_of([&] { connection.commit(); }) == Code::no_space, "no_space was expected");
  require(!connection.in_transaction(), "the transaction is not over");

  const Call late{Deadline::after(0ms), {}};
  connection.start(late);
  const Code code = code_of([&] {
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000000) "
        "SELECT count(*) FROM n");
  });
  require(code == Code::timeout, "the deadline was ignored");
}

TEST(Connection, heeds_deadlines_after_a_commit_that_failed) {
  const TemporaryDirectory directory;
  Child child([&] { fail_commit_then_run_late(directory.path() / "store.db"); });
  EXPECT_TRUE(child.succeeded());
}

// Waits for the only place until its deadline, which comes with the moment the place gets free.
void take_late(Pool& pool, Deadline deadline) {
  try {
    pool.take({deadline, {}});
    pool.give(nullptr);
  } catch (const Error&) {
  }
}

TEST(Pool, wakes_the_next_when_the_one_it_woke_is_out_of_time) {
  for (int round = 0; round < 1000 && !HasFailure(); ++round) {
    Pool pool(1);
    pool.take(Call());
    const auto moment = std::chrono::steady_clock::now() + 1ms;
    auto first = std::async(std::launch::async, take_late, std::ref(pool), Deadline(moment));
    auto second = std::async(std::launch::async, [&] {
      std::this_thread::sleep_for(300us);
      pool.take({Deadline::after(3s), {}});
    });
    const auto give_at = moment - std::chrono::microseconds(round % 100);
    while (std::chrono::steady_clock::now() < give_at) {
    }
    pool.give(nullptr);
    first.get();
    EXPECT_NO_THROW(second.get()) << "in round " << round;
  }
}

}  // namespace
}  // namespace threadkeep::sqlite_test
