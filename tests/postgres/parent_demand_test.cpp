// SPDX-License-Identifier: Apache-2.0
// Processes that fork one thread at the same moment, each demanding that its parent be the latest
// checkpoint. One of them may succeed.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "chaos_store.hpp"
#include "processes.hpp"

namespace threadkeep::postgres_test {
namespace {

constexpr int processes = 8;
constexpr int rounds = 80;

// Puts a child of the parent; true when it was stored.
using PutChild = std::function<bool(const std::string& parent, const std::string& child)>;

// In each round all set off together from the checkpoint that won the round before.
void race(const std::string& url, Barrier& barrier, int process, const PutChild& put_child) {
  RawDatabase raw(url);
  for (int round = 1; round <= rounds; ++round) {
    const auto parent = raw.value("SELECT max(checkpoint_id) FROM checkpoints");
    barrier.wait();
    put_child(parent, padded(round) + "-" + std::to_string(process));
    barrier.wait();
  }
}

bool put_on_latest(Backend& backend, const std::string& parent, const std::string& child) {
  const auto put = Draft("t", child).parent(parent).value("a", child, "x").require_latest_parent();
  const auto error = error_of([&] { apply(backend, PutCheckpoint(put)); });
  if (error && error->code() != Code::conflict) throw *error;
  return !error;
}

// One statement that looks and inserts, as one might write it. It takes no lock first, so that
// what it looks at may be out of date when it inserts.
bool put_by_plain_statement(RawDatabase& raw, const std::string& parent, const std::string& child) {
  return !raw.run(
                 "INSERT INTO checkpoints "
                 "(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint) "
                 "SELECT 't', '', $2, $1, '{}' WHERE (SELECT max(checkpoint_id) FROM checkpoints "
                 "WHERE thread_id = 't' AND checkpoint_ns = '') = $1 RETURNING 1",
                 {parent, child})
              .empty();
}

class ParentDemand : public ::testing::Test {
 protected:
  ParentDemand() {
    const auto backend = open_backend(schema_.url());
    backend->setup(Call());
    apply(*backend, Draft("t", padded(0)));
  }

  // How many checkpoints have more than one child.
  std::string forks() {
    return RawDatabase(schema_.url())
        .value(
            "SELECT count(*) FROM (SELECT FROM checkpoints WHERE parent_checkpoint_id IS NOT NULL "
            "GROUP BY parent_checkpoint_id HAVING count(*) > 1) AS forked");
  }

  Schema schema_;
  Barrier barrier_{processes};
};

TEST_F(ParentDemand, lets_one_of_many_processes_through) {
  run_processes(processes, [&](int process) {
    const auto backend = open_backend(schema_.url());
    race(schema_.url(), barrier_, process,
         [&](const std::string& parent, const std::string& child) {
           return put_on_latest(*backend, parent, child);
         });
  });
  RawDatabase raw(schema_.url());
  EXPECT_EQ(forks(), "0");
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints"), std::to_string(rounds + 1));
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoint_blobs"), std::to_string(rounds))
      << "one that was refused left a blob";
}

// So the test above can fail.
TEST_F(ParentDemand, by_a_plain_statement_lets_several_through) {
  run_processes(processes, [&](int process) {
    RawDatabase own(schema_.url());
    race(schema_.url(), barrier_, process,
         [&](const std::string& parent, const std::string& child) {
           return put_by_plain_statement(own, parent, child);
         });
  });
  EXPECT_NE(forks(), "0");
}

// The same without chance: the second comes before the first has committed.
TEST_F(ParentDemand, by_a_plain_statement_sees_nothing_of_another_transaction) {
  RawDatabase one(schema_.url());
  RawDatabase other(schema_.url());
  one.run("BEGIN");
  EXPECT_TRUE(put_by_plain_statement(one, padded(0), "one"));
  EXPECT_TRUE(put_by_plain_statement(other, padded(0), "other"));
  one.run("COMMIT");
  EXPECT_EQ(forks(), "1");
}

}  // namespace
}  // namespace threadkeep::postgres_test
