// SPDX-License-Identifier: Apache-2.0
// Which tables may be copied at the same time.
#include "migration/tier/step_queue.hpp"

#include <gtest/gtest.h>

#include <future>

#include "schemas.hpp"

namespace threadkeep::migration {
namespace {

Plan plan_of(const std::vector<Table>& tables) {
  tables::Schema schema;
  schema.name = "public";
  schema.tables = tables;
  return make_plan(schema, schema, false, {});
}

TEST(StepQueue, hands_out_what_refers_to_nothing_that_is_under_way) {
  const auto plan = plan_of({table("a"), table("b", {{"a_id", "a"}}), table("c")});
  StepQueue queue(plan);
  EXPECT_EQ(queue.take(), 0U);
  EXPECT_EQ(queue.take(), 2U);
  queue.done(2);
  auto next = std::async(std::launch::async, [&] { return queue.take(); });
  queue.done(0);
  EXPECT_EQ(next.get(), 1U);
  EXPECT_FALSE(queue.take());
}

TEST(StepQueue, does_not_wait_for_what_a_later_pass_sets) {
  const auto plan = plan_of({table("a", {{"b_id", "b", true}}), table("b", {{"a_id", "a"}})});
  ASSERT_EQ(plan.steps.size(), 2U);
  StepQueue queue(plan);
  ASSERT_EQ(queue.take(), 0U);
  queue.done(0);
  EXPECT_EQ(queue.take(), 1U);
}

TEST(StepQueue, hands_out_nothing_more_once_it_is_stopped) {
  const auto plan = plan_of({table("a"), table("b", {{"a_id", "a"}}), table("c")});
  StepQueue queue(plan);
  EXPECT_EQ(queue.take(), 0U);
  auto next = std::async(std::launch::async, [&] {
    queue.take();
    return queue.take();
  });
  queue.stop();
  EXPECT_FALSE(next.get());
}

}  // namespace
}  // namespace threadkeep::migration
