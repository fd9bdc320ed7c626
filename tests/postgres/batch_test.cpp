// SPDX-License-Identifier: Apache-2.0
// Group commit: one transaction for a batch, and nobody's failure hurts another.
#include <gtest/gtest.h>

#include <future>

#include "store_fixture.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;

class Batch : public StoreFixture {
 protected:
  // The middle one is to fail.
  static std::vector<Mutation> batch() {
    return {Draft("first", "1").value("a", "1", "x"), Draft("bad", "1").value("a", "1", "y"),
            Draft("last", "1").value("a", "1", "z")};
  }

  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }

  static int deadlocks() {
    const std::string log = server().log();
    int count = 0;
    const std::string words = "deadlock detected";
    for (auto at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++count;
    return count;
  }

  void refuse_bad_thread() {
    raw_.run("ALTER TABLE checkpoints ADD CONSTRAINT no_bad CHECK (thread_id <> 'bad')");
  }

  void expect_only_the_middle_one_failed(const std::vector<Outcome>& outcomes) {
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_FALSE(outcomes[0].error);
    ASSERT_TRUE(outcomes[1].error);
    EXPECT_FALSE(outcomes[2].error);
    EXPECT_EQ(outcomes[0].written, (Written{.changed = 2}));
    EXPECT_EQ(outcomes[2].written, (Written{.changed = 2}));
    EXPECT_EQ(outcomes[1].error->operation(), "put");
    EXPECT_EQ(raw_.run("SELECT DISTINCT thread_id FROM checkpoints ORDER BY 1"),
              (Strings{"first", "last"}));
    EXPECT_EQ(raw_.value("SELECT count(*) FROM checkpoint_blobs"), "2");
    EXPECT_EQ(raw_.value("SELECT count(*) FROM threadkeep_threads"), "2");
  }
};

TEST_F(Batch, a_conflict_in_the_middle_leaves_the_others_stored) {
  auto mutations = batch();
  mutations[1] = Draft("bad", "2").parent("1").value("a", "1", "y").require_latest_parent();
  const auto outcomes = backend_->apply(mutations, Call());
  ASSERT_NO_FATAL_FAILURE(expect_only_the_middle_one_failed(outcomes));
  EXPECT_EQ(outcomes[1].error->code(), Code::conflict);
}

TEST_F(Batch, an_error_of_one_statement_leaves_the_others_stored) {
  refuse_bad_thread();
  const auto outcomes = backend_->apply(batch(), Call());
  ASSERT_NO_FATAL_FAILURE(expect_only_the_middle_one_failed(outcomes));
  EXPECT_EQ(outcomes[1].error->native(), "23514");
}

TEST_F(Batch, is_one_transaction) {
  const auto outcomes = backend_->apply(batch(), Call());
  for (const Outcome& outcome : outcomes) EXPECT_FALSE(outcome.error);
  EXPECT_EQ(raw_.value("SELECT count(DISTINCT xmin::text) FROM checkpoints"), "1");
}

TEST_F(Batch, mutations_of_one_thread_take_effect_in_their_order) {
  const std::vector<Mutation> mutations{
      Draft("t", "1"),
      Draft("t", "2").parent("1"),
      CopyThread{"t", "copy"},
      Prune{"t"},
      Draft("t", "3").parent("2"),
      PutWrites{"t", "", "1", {pending("task", 0, "a", "late")}},
      DeleteThread{"copy"},
      Draft("copy", "3").parent("2"),
      PutThread{"t", R"({"n": 1})"},
  };
  const auto outcomes = backend_->apply(mutations, Call());
  EXPECT_EQ(outcomes[2].written, (Written{.changed = 2}));
  EXPECT_EQ(outcomes[3].written, (Written{.changed = 1}));
  EXPECT_EQ(outcomes[5].written, (Written{.dropped = 1}));
  EXPECT_EQ(outcomes[6].written, (Written{.changed = 2}));
  ASSERT_TRUE(outcomes[7].error);
  EXPECT_EQ(outcomes[7].error->code(), Code::conflict);
  EXPECT_EQ(raw_.run("SELECT thread_id, checkpoint_id FROM checkpoints ORDER BY 1, 2"),
            (Strings{"t|2", "t|3"}));
}

// LangGraph's own saver takes none of our locks and may insert rows in any order.
TEST_F(Batch, is_tried_again_when_the_server_ends_it_for_a_deadlock) {
  RawDatabase other(server().superuser_url() + "?schema=" + schema_);
  const auto insert_write = [&](int idx) {
    other.run("INSERT INTO checkpoint_writes VALUES ('t', '', '1', 'task', " + std::to_string(idx) +
              ", 'a', 'text', 'other')");
  };
  const int before = deadlocks();
  other.run("SET deadlock_timeout = '1h'");  // so that the other side is the one that is ended
  other.run("BEGIN");
  insert_write(1);
  auto ours = std::async(std::launch::async, [&] {
    return apply(PutWrites{
        "t", "", "1", {pending("task", 0, "a", "ours"), pending("task", 1, "a", "ours")}});
  });
  await_waiting_session();
  insert_write(0);
  other.run("COMMIT");
  const Outcome outcome = ours.get();
  EXPECT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.written, (Written{.kept = 2}));
  EXPECT_GT(deadlocks(), before);
  EXPECT_EQ(raw_.run("SELECT DISTINCT convert_from(blob, 'UTF8') FROM checkpoint_writes"),
            Strings{"other"});
}

TEST_F(Batch, of_two_programs_in_opposite_order_does_not_deadlock) {
  constexpr int rounds = 30;
  const int before = deadlocks();
  const auto other = Registry::builtin().open(url_);
  const auto run = [](Backend& backend, bool forward) {
    int failures = 0;
    for (int round = 0; round < rounds; ++round) {
      std::vector<Mutation> mutations;
      for (int i = 0; i < 20; ++i) {
        const int thread = forward ? i : 19 - i;
        mutations.emplace_back(
            Draft("t" + std::to_string(thread), std::to_string(round)).value("a", "1", "x"));
        // Only where nobody has a thread for himself do both go on side by side.
        if (round % 2 == 1 && i % 5 == 0)
          mutations.emplace_back(DeleteThread{"t" + std::to_string(thread)});
      }
      for (const Outcome& outcome : backend.apply(mutations, Call())) failures += !!outcome.error;
    }
    return failures;
  };
  auto backwards = std::async(std::launch::async, [&] { return run(*other, false); });
  EXPECT_EQ(run(*backend_, true), 0);
  EXPECT_EQ(backwards.get(), 0);
  EXPECT_EQ(deadlocks(), before);
}

TEST_F(Batch, ends_at_its_deadline_with_nothing_done_for_those_not_begun) {
  write(Draft("other", "1"));  // connects, for which there is time here
  raw_.run("BEGIN");
  raw_.run("SELECT pg_advisory_xact_lock(" + lock_key("t") + ")");
  const std::vector<Mutation> mutations{Draft("t", "1"), Prune{"u"}, Draft("u", "1")};
  const auto outcomes = backend_->apply(mutations, Call{Deadline::after(200ms), {}});
  ASSERT_TRUE(outcomes[0].error && outcomes[1].error && outcomes[2].error);
  EXPECT_EQ(outcomes[0].error->code(), Code::outcome_unknown);
  EXPECT_EQ(outcomes[1].error->code(), Code::timeout);
  EXPECT_EQ(outcomes[2].error->code(), Code::timeout);
  raw_.run("ROLLBACK");
  EXPECT_EQ(write(Draft("t", "1")), (Written{.changed = 1}));
}

}  // namespace
}  // namespace threadkeep::postgres_test
