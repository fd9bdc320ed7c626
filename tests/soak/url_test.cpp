// SPDX-License-Identifier: Apache-2.0
// The soak of a store that others own, and what it says when that store loses something.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "program.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::soak_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::Program;

std::vector<std::string> soak(const std::string& url, int seconds) {
  return {THREADKEEP_SOAK, "--url", url, "--seconds", std::to_string(seconds), "--threads", "4"};
}

class Soak : public ::testing::Test {
 protected:
  // The program has begun.
  void expect_checkpoints() {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (server_.run("SELECT coalesce((SELECT n_live_tup FROM pg_stat_user_tables "
                       "WHERE relname = 'checkpoints'), 0) > 50") != "t\n") {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing is written";
      std::this_thread::sleep_for(20ms);
    }
  }

  PostgresServer server_{{.settings = {{"synchronous_commit", "on"}}}};
  const std::string url_ = server_.url() + "?pool_size=4";
};

TEST_F(Soak, of_a_store_that_somebody_else_disturbs_finds_all_that_was_acknowledged) {
  Program program(soak(url_, 6));
  expect_checkpoints();
  server_.kill();
  std::this_thread::sleep_for(200ms);
  server_.start();
  EXPECT_EQ(program.wait(), 0) << program.output();
  EXPECT_NE(program.output().find(" writes acknowledged"), std::string::npos) << program.output();
}

TEST_F(Soak, tells_what_a_store_lost) {
  Program program(soak(url_, 6));
  expect_checkpoints();
  std::jthread loser([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      server_.run(
          "DELETE FROM checkpoints WHERE (thread_id, checkpoint_id) IN (SELECT thread_id, "
          "min(checkpoint_id) FROM checkpoints GROUP BY thread_id)");
    }
  });
  EXPECT_EQ(program.wait(), 1) << program.output();
  EXPECT_NE(program.output().find("lost: checkpoint"), std::string::npos) << program.output();
}

TEST_F(Soak, refuses_a_store_in_which_there_is_something) {
  open(url_)->write(testing::Draft("t", "1"), Call());
  Program program(soak(url_, 1));
  EXPECT_EQ(program.wait(), 2);
  EXPECT_NE(program.output().find("not empty"), std::string::npos) << program.output();
}

}  // namespace
}  // namespace threadkeep::soak_test
