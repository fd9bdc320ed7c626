// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/policy.hpp"

#include <gtest/gtest.h>

#include "threadkeep/error.hpp"

namespace threadkeep::retention {
namespace {

using namespace std::chrono_literals;

PolicyFields named(const std::string& name) {
  PolicyFields fields;
  fields.name = name;
  return fields;
}

// The only problem of a policy with this field.
std::string problem_of(std::optional<std::string> PolicyFields::*field, const std::string& text) {
  PolicyFields fields = named("p");
  fields.*field = text;
  const ReadPolicies read = read_policies({&fields, 1});
  if (read.problems.size() != 1) return std::to_string(read.problems.size()) + " problems";
  EXPECT_TRUE(read.policies.empty());
  return read.problems.front().field + ": " + read.problems.front().text;
}

std::chrono::seconds idle_of(const std::string& text) {
  PolicyFields fields = named("p");
  fields.idle = text;
  const ReadPolicies read = read_policies({&fields, 1});
  return read.policies.empty() ? -1s : read.policies.front().idle;
}

std::string refusal_of(const std::string& json) {
  try {
    policies_from_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.message();
  }
  return "accepted";
}

TEST(RetentionPolicy, reads_durations_with_their_unit) {
  EXPECT_EQ(idle_of("90s"), 90s);
  EXPECT_EQ(idle_of("15m"), 15min);
  EXPECT_EQ(idle_of("12h"), 12h);
  EXPECT_EQ(idle_of("7d"), std::chrono::days(7));
  EXPECT_EQ(idle_of("4w"), std::chrono::weeks(4));
  EXPECT_EQ(idle_of("36525d"), std::chrono::days(36525));
}

TEST(RetentionPolicy, is_switched_off_by_0_and_off) {
  EXPECT_EQ(idle_of("0"), 0s);
  EXPECT_EQ(idle_of("off"), 0s);
}

TEST(RetentionPolicy, refuses_what_is_no_duration) {
  for (const char* text :
       {"", "7", "d", "-7d", "+7d", "7 d", " 7d", "7.5d", "7D", "7y", "0d", "1e3s", "36526d",
        "99999999999999999999d", "18446744073709551615w", "Off", "no"}) {
    EXPECT_EQ(problem_of(&PolicyFields::idle, text),
              "policies[0].idle: is no duration; write a whole number and a unit, such as 90s, "
              "15m, 12h, 7d or "
              "4w, up to 100 years, or off");
  }
}

TEST(RetentionPolicy, refuses_what_is_no_number_of_checkpoints) {
  for (const char* text : {"", "-1", "1.5", "ten", "1000000001", "99999999999999999999"}) {
    EXPECT_EQ(problem_of(&PolicyFields::keep_last, text),
              "policies[0].keep_last: is no number of checkpoints; write 1 or more, or off");
  }
}

TEST(RetentionPolicy, is_idle_for_a_week_when_it_sets_no_limit) {
  PolicyFields fields = named("p");
  EXPECT_EQ(read_policies({&fields, 1}).policies.front().idle, std::chrono::days(7));
  fields.keep_last = "3";
  EXPECT_EQ(read_policies({&fields, 1}).policies.front().idle, 0s);
}

TEST(RetentionPolicy, reports_all_problems_at_once) {
  EXPECT_EQ(refusal_of(R"([{"idle":"7","age":"x","expiry":"never","keep_last":-2,"threads":"",
                            "metadata":3,"colour":1}, 5, {"name":"a"}, {"name":"a"}])"),
            "policies[0].colour: is unknown; fields are name, threads, metadata, idle, expiry, age "
            "and keep_last; policies[0].metadata: is no object; write members and their values; "
            "policies[1]: is no object; a policy is an object of fields; "
            "policies[0].name: is missing; name the policy, reports use it; "
            "policies[0].threads: is empty; write '*' for all threads; "
            "policies[0].idle: is no duration; write a whole number and a unit, such as 90s, "
            "15m, 12h, 7d or 4w, up to 100 years, or off; "
            "policies[0].expiry: is neither sliding nor fixed; "
            "policies[0].age: is no duration; write a whole number and a unit, such as 90s, "
            "15m, 12h, 7d or 4w, up to 100 years, or off; "
            "policies[0].keep_last: is no number of checkpoints; write 1 or more, or off; "
            "policies[0].expiry: is only for idle; set idle; "
            "policies[1].name: is missing; name the policy, reports use it; "
            "policies[3].name: is that of another policy; give each a name of its own");
  EXPECT_EQ(refusal_of("{}"), "policies: is no JSON array; write a list of policies");
  EXPECT_EQ(refusal_of("[}"), "policies: is no JSON array; write a list of policies");
}

TEST(RetentionPolicy, comes_back_from_its_json_form) {
  const std::string json =
      R"([{"age":"90d","expiry":"fixed","idle":"36h","keep_last":5,)"
      R"("metadata":{"tier":"free","n":1.5},"name":"free","threads":"chat-*"},)"
      R"({"age":"off","idle":"off","keep_last":"off","name":"rest","threads":"*"}])";
  const auto policies = policies_from_json(json);
  ASSERT_EQ(policies.size(), 2U);
  EXPECT_EQ(policies[0].idle, 36h);
  EXPECT_EQ(policies[0].expiry, Expiry::fixed);
  EXPECT_EQ(policies[0].age, std::chrono::days(90));
  EXPECT_EQ(policies[0].keep_last, 5U);
  EXPECT_EQ(policies[0].threads, "chat-*");
  EXPECT_EQ(policies[0].metadata.size(), 2U);
  EXPECT_EQ(policies[1].idle, 0s);
  const std::string again = to_json(policies);
  EXPECT_EQ(to_json(policies_from_json(again)), again);
  EXPECT_NE(again.find(R"("idle":"36h")"), std::string::npos) << again;
}

TEST(RetentionPolicy, writes_durations_in_the_greatest_unit_that_fits) {
  EXPECT_EQ(format_duration(0s), "off");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(90min), "90m");
  EXPECT_EQ(format_duration(36h), "36h");
  EXPECT_EQ(format_duration(std::chrono::weeks(1)), "7d");
}

TEST(RetentionPolicy, reads_how_long_tombstones_and_the_audit_stay) {
  EXPECT_EQ(read_keep_times({}).times, KeepTimes());
  EXPECT_EQ(KeepTimes().tombstones, std::chrono::days(30));
  const auto read = read_keep_times({.tombstones = "1h", .audit = "1d"});
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.times.tombstones, 1h);
  EXPECT_EQ(read.times.audit, std::chrono::days(1));
  for (const char* off : {"0", "off"}) {
    EXPECT_EQ(read_keep_times({.tombstones = off, .audit = off}).times.tombstones, 0s);
  }
  for (const char* wrong : {"59m", "-1d", "30", "", "a week", "1.5h"}) {
    EXPECT_EQ(read_keep_times({.tombstones = wrong, .audit = {}}).problems.size(), 1U) << wrong;
  }
  const auto both = read_keep_times({.tombstones = "15m", .audit = "23h"});
  ASSERT_EQ(both.problems.size(), 2U);
  EXPECT_EQ(both.times, KeepTimes());
  EXPECT_EQ(both.problems[0].field, "tombstones");
  EXPECT_EQ(both.problems[1].text, "is shorter than 1d; write that or more, or off");
}

TEST(RetentionPolicy, matches_patterns_of_thread_ids) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*", "anything"));
  EXPECT_TRUE(matches_pattern("chat-*", "chat-"));
  EXPECT_TRUE(matches_pattern("*-eu-*", "a-eu-b-eu-c"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_pattern("a[*]b", "a*b"));
  EXPECT_TRUE(matches_pattern("*[*]*", "x*y"));
  EXPECT_TRUE(matches_pattern("50%_\\", "50%_\\"));
  EXPECT_FALSE(matches_pattern("a[*]b", "axb"));
  EXPECT_FALSE(matches_pattern("chat", "chat-1"));
  EXPECT_FALSE(matches_pattern("chat-*", "Chat-1"));
  EXPECT_FALSE(matches_pattern("a*b*c", "a-c-b"));
  EXPECT_FALSE(matches_pattern("", "a"));
}

}  // namespace
}  // namespace threadkeep::retention
