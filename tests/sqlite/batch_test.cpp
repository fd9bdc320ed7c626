// SPDX-License-Identifier: Apache-2.0
// Group commit: one transaction for a batch, and nobody's failure hurts another.
#include <gtest/gtest.h>

#include <thread>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using namespace std::chrono_literals;

class Batch : public ::testing::Test {
 protected:
  Batch() : backend_(Registry::builtin().open(url_of(file_))) {
    backend_->setup(Call());
    raw_ = std::make_unique<RawDatabase>(file_);
  }

  // As the batch of three below, the middle one of which is to fail.
  std::vector<Mutation> batch() const {
    return {Draft("first", "1").value("a", "1", "x"), Draft("bad", "1").value("a", "1", "y"),
            Draft("last", "1").value("a", "1", "z")};
  }

  std::vector<std::string> stored_threads() {
    return raw_->run("SELECT DISTINCT thread_id FROM checkpoints ORDER BY 1");
  }

  // Makes the insertion of thread 'bad' fail inside SQLite.
  void refuse_bad_thread(const std::string& how) {
    raw_->run(
        "CREATE TRIGGER refuse BEFORE INSERT ON checkpoints WHEN new.thread_id = 'bad' "
        "BEGIN SELECT RAISE(" +
        how + ", 'refused by a trigger'); END");
  }

  // Makes the insertion of thread 'bad' last longer than any deadline of these tests.
  void delay_bad_thread() {
    raw_->run(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000) "
        "INSERT INTO threadkeep_tombstones SELECT 'filler' || x, '0', 0 FROM c;"
        "CREATE TRIGGER delay BEFORE INSERT ON checkpoints WHEN new.thread_id = 'bad' BEGIN "
        "SELECT count(*) FROM threadkeep_tombstones a, threadkeep_tombstones b, "
        "threadkeep_tombstones c; END");
  }

  void expect_only_the_middle_one_failed(const std::vector<Outcome>& outcomes) {
    ASSERT_EQ(outcomes.size(), 3u);
    EXPECT_FALSE(outcomes[0].error);
    ASSERT_TRUE(outcomes[1].error);
    EXPECT_FALSE(outcomes[2].error);
    EXPECT_EQ(outcomes[0].written, (Written{.changed = 2}));
    EXPECT_EQ(outcomes[2].written, (Written{.changed = 2}));
    EXPECT_EQ(stored_threads(), (std::vector<std::string>{"first", "last"}));
    EXPECT_EQ(raw_->value("SELECT count(*) FROM checkpoint_blobs"), "2");
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "store.db";
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<RawDatabase> raw_;
};

TEST_F(Batch, a_conflict_in_the_middle_leaves_the_others_stored) {
  auto mutations = batch();
  mutations[1] = Draft("bad", "2").parent("1").require_latest_parent();
  const auto outcomes = backend_->apply(mutations, Call());
  ASSERT_NO_FATAL_FAILURE(expect_only_the_middle_one_failed(outcomes));
  EXPECT_EQ(outcomes[1].error->code(), Code::conflict);
  EXPECT_EQ(outcomes[1].error->operation(), "put");
}

TEST_F(Batch, an_error_of_one_statement_leaves_the_others_stored) {
  refuse_bad_thread("ABORT");
  const auto outcomes = backend_->apply(batch(), Call());
  ASSERT_NO_FATAL_FAILURE(expect_only_the_middle_one_failed(outcomes));
  EXPECT_EQ(outcomes[1].error->native(), "SQLITE_CONSTRAINT_TRIGGER");
}

TEST_F(Batch, an_error_that_takes_the_transaction_with_it_leaves_the_others_stored) {
  refuse_bad_thread("ROLLBACK");
  expect_only_the_middle_one_failed(backend_->apply(batch(), Call()));
}

TEST_F(Batch, a_member_that_fails_after_its_first_row_leaves_none) {
  raw_->run(
      "CREATE TRIGGER refuse BEFORE INSERT ON checkpoint_blobs WHEN new.channel = 'late' "
      "BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END");
  auto mutations = batch();
  mutations[1] = Draft("bad", "1").value("a", "1", "y").value("late", "1", "y");
  expect_only_the_middle_one_failed(backend_->apply(mutations, Call()));
}

TEST_F(Batch, one_transaction_carries_the_whole_batch) {
  std::vector<Mutation> mutations;
  for (int i = 0; i < 50; ++i) mutations.push_back(Draft("t" + std::to_string(i), "1"));
  const auto frames = [&] { return std::filesystem::file_size(file_.string() + "-wal"); };
  raw_->run("PRAGMA wal_checkpoint(TRUNCATE)");
  backend_->apply(mutations, Call());
  // 50 transactions would write the same few pages 50 times.
  EXPECT_LT(frames(), 30u * 4096u);
}

TEST_F(Batch, a_deadline_in_the_middle_undoes_all) {
  delay_bad_thread();
  Error error(Code::internal, "");
  const auto lasted = duration_of([&] {
    error = error_of([&] { backend_->apply(batch(), Call{Deadline::after(200ms), {}}); });
  });
  EXPECT_EQ(error.code(), Code::timeout) << error.what();
  EXPECT_GE(lasted, 190ms);
  EXPECT_LT(lasted, 1000ms);
  EXPECT_EQ(stored_threads(), std::vector<std::string>());
  EXPECT_EQ(backend_->apply(std::vector<Mutation>{Draft("first", "1")}, Call())[0].error,
            std::nullopt);
}

TEST_F(Batch, a_stop_in_the_middle_undoes_all) {
  delay_bad_thread();
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(200ms);
    source.request_stop();
  });
  const Call call{Deadline::never(), source.get_token()};
  const Error error = error_of([&] { backend_->apply(batch(), call); });
  EXPECT_EQ(error.code(), Code::cancelled) << error.what();
  EXPECT_EQ(stored_threads(), std::vector<std::string>());
}

TEST_F(Batch, a_single_mutation_says_in_its_outcome_how_it_ended) {
  delay_bad_thread();
  const std::vector<Mutation> one{Draft("bad", "1")};
  const auto outcomes = backend_->apply(one, Call{Deadline::after(100ms), {}});
  ASSERT_TRUE(outcomes.at(0).error);
  EXPECT_EQ(outcomes[0].error->code(), Code::timeout);
}

}  // namespace
}  // namespace threadkeep::sqlite_test
