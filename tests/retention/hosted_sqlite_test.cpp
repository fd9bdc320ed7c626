// SPDX-License-Identifier: Apache-2.0
// Retention on a file: room that comes back, and versions.
#include "hosted_fixture.hpp"
#include "support.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;
using sqlite_test::RawDatabase;

class HostedSqlite : public Hosted {
 protected:
  HostedSqlite() : raw_(directory_.path() / "store.db") {}

  void put_large(const std::string& thread) {
    store_.write(Draft(thread, "1").value("a", "1", std::string(100'000, 'x')), Call());
  }

  RawDatabase raw_;
};

TEST_P(HostedSqlite, gives_the_room_of_what_it_took_back) {
  for (int i = 0; i < 100; ++i) put_large("old-" + std::to_string(i));
  const auto pages = std::stoll(raw_.value("PRAGMA page_count"));
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  sweep();
  EXPECT_EQ(raw_.value("PRAGMA freelist_count"), "0");
  EXPECT_LT(std::stoll(raw_.value("PRAGMA page_count")), pages / 10);
  EXPECT_EQ(raw_.value("PRAGMA integrity_check"), "ok");
}

TEST_P(HostedSqlite, leaves_a_file_as_large_as_it_is_that_cannot_shrink) {
  for (int i = 0; i < 10; ++i) put_large("old-" + std::to_string(i));
  raw_.run("PRAGMA auto_vacuum = NONE; VACUUM");
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  EXPECT_TRUE(sweep().finished);
  EXPECT_NE(raw_.value("PRAGMA freelist_count"), "0");
}

TEST_P(HostedSqlite, does_not_replace_what_a_newer_version_has_installed) {
  raw_.run("UPDATE threadkeep_modules SET version = 1000");
  for (const auto& call : {std::function<void()>([&] { retention_->install(Call()); }),
                           std::function<void()>([&] { sweep(); })}) {
    EXPECT_EQ(sqlite_test::error_of(call).code(), Code::unsupported);
  }
}

TEST_P(HostedSqlite, records_the_error_that_ended_it) {
  put_line("old", 1);
  raw_.run(R"(INSERT INTO threadkeep_retention_policies VALUES (1, '[{"name":"p","idle":"x"}]'))");
  EXPECT_THROW(sweep(), Error);
  const auto run = retention_->runs(1, Call()).front();
  EXPECT_EQ(run.state, "failed");
  EXPECT_NE(run.error, "");
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedSqlite,
                         ::testing::Values("sqlite:{dir}/store.db?synchronous=normal"), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
