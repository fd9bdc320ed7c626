// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "threadkeep/layers.hpp"
#include "unit/recording_backend.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Backend> backend() {
  return std::make_unique<testing::RecordingBackend>(std::make_shared<testing::Recorder>(), 7);
}

Stack stack() {
  return Stack(backend());
}

std::string refusal(Stack stack) {
  try {
    std::move(stack).build();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.message();
  }
  return "built";
}

bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(StackOfLayers, is_a_backend_with_what_the_innermost_can_do) {
  const auto built = stack().deadline().breaker().retry().metrics("test").build();
  EXPECT_EQ(built->capabilities().name, "recording");
  EXPECT_EQ(built->capabilities().max_concurrent_batches, 7U);
  const Health health = built->ping(Call());
  EXPECT_TRUE(health.ok);
  EXPECT_FALSE(health.degraded);
  EXPECT_EQ(stack().build()->capabilities().name, "recording") << "no layer is needed";
}

TEST(StackOfLayers, tells_an_operator_what_it_does) {
  std::string text;
  for (const Finding& finding : stack().deadline({7s}).breaker().retry().build()->examine(Call())) {
    text += finding.subject + ": " + finding.text + "\n";
  }
  for (const auto* part : {"deadline: each try ends after 7000ms", "breaker: closed; opens after 3",
                           "retry: a call has up to 3 tries"}) {
    EXPECT_TRUE(mentions(text, part)) << text;
  }
}

TEST(StackOfLayers, refuses_a_wrong_order_and_names_both) {
  struct Row {
    Stack stack;
    std::string first, second;
  };
  std::vector<Row> rows;
  rows.push_back({stack().breaker().deadline(), "breaker", "deadline"});
  rows.push_back({stack().retry().deadline(), "retry", "deadline"});
  rows.push_back({stack().retry().breaker(), "retry", "breaker"});
  rows.push_back({stack().deadline().metrics("m").retry(), "metrics", "retry"});
  rows.push_back({stack().breaker().fallback(backend(), {}).retry(), "fallback", "retry"});
  rows.push_back({stack().breaker().fallback(backend(), {}).metrics("m"), "fallback", "metrics"});
  for (Row& row : rows) {
    const std::string message = refusal(std::move(row.stack));
    EXPECT_TRUE(mentions(message, row.first + " stands inside " + row.second)) << message;
    EXPECT_TRUE(mentions(message, "call " + row.second + "() before " + row.first + "()"))
        << message;
  }
}

TEST(StackOfLayers, refuses_what_is_there_twice) {
  EXPECT_TRUE(mentions(refusal(stack().deadline().deadline()), "deadline is there twice"));
  EXPECT_TRUE(mentions(refusal(stack().breaker().retry().breaker()), "breaker"));
  EXPECT_TRUE(mentions(refusal(stack().retry().metrics("a").retry()), "retry"));
  EXPECT_TRUE(mentions(refusal(stack().metrics("a").metrics("b")), "metrics is there twice"));
}

TEST(StackOfLayers, refuses_what_is_missing) {
  EXPECT_TRUE(mentions(refusal(Stack(nullptr)), "no backend"));
  EXPECT_TRUE(mentions(refusal(stack().deadline().fallback(backend(), {})), "needs a breaker"));
  EXPECT_TRUE(mentions(refusal(stack().breaker().fallback(nullptr, {})), "no journal"));
}

TEST(StackOfLayers, refuses_options_that_make_no_sense) {
  EXPECT_TRUE(mentions(refusal(stack().deadline({0ms})), "per_try"));
  EXPECT_TRUE(mentions(refusal(stack().breaker({.failures = 0})), "failures"));
  EXPECT_TRUE(mentions(refusal(stack().breaker({.open_for = 0ms})), "open_for"));
  EXPECT_TRUE(mentions(refusal(stack().breaker({.open_for = 2s, .longest = 1s})), "open_for"));
  EXPECT_TRUE(mentions(refusal(stack().retry({.tries = 0})), "tries"));
  EXPECT_TRUE(mentions(refusal(stack().retry({.first = -1ms})), "first"));
  EXPECT_TRUE(mentions(refusal(stack().retry({.budget = -1})), "budget"));
}

}  // namespace
}  // namespace threadkeep
