// SPDX-License-Identifier: Apache-2.0
// The order in which tables are copied, and how cycles are broken.
#include "migration/tier/order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <threadkeep/error.hpp>

#include "migration/tier/graph.hpp"
#include "schemas.hpp"

namespace threadkeep::migration {

std::vector<Table> application() {
  return {table("users", {{"default_team_id", "teams", true}}),
          table("teams", {{"owner_id", "users"}}),
          table("team_members", {{"team_id", "teams"}, {"user_id", "users"}}),
          table("accounts", {{"user_id", "users"}}),
          table("projects", {{"team_id", "teams"}}),
          table("agents", {{"project_id", "projects"}}),
          table("missions", {{"project_id", "projects"}, {"agent_id", "agents"}}),
          table("tasks", {{"mission_id", "missions"}, {"parent_id", "tasks", true}}),
          table("conversations", {{"agent_id", "agents"}}),
          table("messages", {{"conversation_id", "conversations"}}),
          table("preferences", {{"user_id", "users"}}),
          table("insights", {{"user_id", "users"}}),
          table("agent_logs", {{"agent_id", "agents"}}),
          table("provider_credentials", {{"user_id", "users"}}),
          table("tickets", {{"user_id", "users"}, {"task_id", "tasks"}}),
          table("events"),
          table("skills"),
          table("routing_rules", {{"agent_id", "agents"}}),
          table("appreciations", {{"from_id", "users"}, {"to_id", "users"}})};
}

namespace {

// "a | b c* | d!": steps, a group with a star, one that is written as a whole with a mark.
std::string text_of(const Order& order) {
  std::string text;
  for (const auto& step : order.steps) {
    if (!text.empty()) text += " | ";
    for (const auto& name : step.tables) text += (name == step.tables.front() ? "" : " ") + name;
    if (step.whole) {
      text += "!";
    } else if (step.group) {
      text += "*";
    }
  }
  for (const auto& link : order.links) text += " ~" + link.table + "." + link.columns.front();
  return text;
}

std::string error_of(const std::vector<Table>& tables,
                     const std::vector<std::string>& wanted = {}) {
  try {
    order_tables(tables, wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.message();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(Graph, numbers_components_after_those_that_they_lead_to) {
  const auto found = components(5, {{0, 1}, {1, 2}, {2, 0}, {2, 3}, {4, 4}});
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[1], found[2]);
  EXPECT_NE(found[2], found[3]);
  EXPECT_GT(found[2], found[3]);
  EXPECT_TRUE(has_cycle(5, {{4, 4}}));
  EXPECT_FALSE(has_cycle(5, {{0, 1}, {1, 2}, {0, 2}}));
}

TEST(Graph, walks_long_chains) {
  std::vector<Edge> chain;
  for (std::size_t at = 0; at + 1 < 200'000; ++at) chain.push_back({at, at + 1});
  EXPECT_EQ(components(200'000, chain).front(), 199'999U);
}

struct OrderCase {
  const char* what;
  std::vector<Table> tables;
  const char* order;
};

TEST(Order, follows_foreign_keys_and_then_names) {
  const std::vector<OrderCase> cases = {
      {"names alone", {table("c"), table("a"), table("b")}, "a | b | c"},
      {"a key", {table("a", {{"b", "b"}}), table("b")}, "b | a"},
      {"a chain", {table("a", {{"b", "b"}}), table("b", {{"c", "c"}}), table("c")}, "c | b | a"},
      {"a diamond",
       {table("a"), table("b", {{"a", "a"}}), table("c", {{"a", "a"}}),
        table("d", {{"c", "c"}, {"b", "b"}})},
       "a | b | c | d"},
      {"a table that is not copied", {table("a", {{"x", "x"}})}, "a"},
      {"itself", {table("a", {{"up", "a", true}})}, "a ~a.up"},
      {"itself, deferrable", {table("a", {{"up", "a", false, true}})}, "a*"},
      {"itself, and nothing helps", {table("a", {{"up", "a"}})}, "a!"},
      {"two, one of them nullable",
       {table("a", {{"b", "b"}}), table("b", {{"a", "a", true}})},
       "b | a ~b.a"},
      {"two, both nullable: the first by name",
       {table("a", {{"b", "b", true}}), table("b", {{"a", "a", true}})},
       "a | b ~a.b"},
      {"two, one deferrable",
       {table("a", {{"b", "b"}}), table("b", {{"a", "a", false, true}})},
       "b a*"},
      {"nullable wins over deferrable",
       {table("a", {{"b", "b", false, true}}), table("b", {{"a", "a", true}})},
       "b | a ~b.a"},
      {"deferrable where nullable is not enough",
       {table("a", {{"b", "b"}, {"c", "c"}}), table("b", {{"a", "a", true}}),
        table("c", {{"a", "a", false, true}})},
       "b c a* ~b.a"},
      {"two keys of the same tables need both",
       {table("a", {{"x", "b", true}, {"y", "b", true}}), table("b", {{"a", "a"}})},
       "a | b ~a.x ~a.y"},
      {"one key breaks two cycles",
       {table("a", {{"b", "b"}, {"c", "c"}}), table("b", {{"h", "h"}}), table("c", {{"h", "h"}}),
        table("h", {{"a", "a", true}})},
       "h | b | c | a ~h.a"},
      {"a group stands between others",
       {table("z", {{"a", "a"}}), table("a", {{"b", "b", false, true}}),
        table("b", {{"a", "a", false, true}, {"y", "y"}}), table("y")},
       "y | a b* | z"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(text_of(order_tables(each.tables)), each.order) << each.what;
    auto reversed = each.tables;
    std::reverse(reversed.begin(), reversed.end());
    auto order = order_tables(reversed);
    std::sort(order.links.begin(), order.links.end(), [](const auto& a, const auto& b) {
      return std::pair(a.table, a.columns) < std::pair(b.table, b.columns);
    });
    EXPECT_EQ(text_of(order), each.order) << each.what << ", other way round";
  }
}

TEST(Order, says_how_each_cycle_is_broken) {
  const auto order = order_tables({table("a", {{"b", "b", true}, {"up", "a", true}}),
                                   table("b", {{"a", "a"}}), table("w", {{"up", "w"}})});
  ASSERT_EQ(order.explanations.size(), 3U);
  EXPECT_NE(order.explanations[0].find("w.up"), std::string::npos);
  EXPECT_EQ(order.explanations[1],
            "a.b -> b closes a cycle: it is NULL at first and set in a second pass");
  EXPECT_EQ(order.explanations[2],
            "a.up -> a refers to the same table: it is NULL at first and set in a second pass");
}

TEST(Order, names_a_cycle_that_it_cannot_break) {
  const auto error = error_of({table("a", {{"b", "b"}}), table("b", {{"c", "c"}}),
                               table("c", {{"a", "a"}}), table("d", {{"a", "a"}})});
  EXPECT_NE(error.find("a -> b -> c -> a"), std::string::npos) << error;
  EXPECT_NE(error.find("ALTER TABLE \"a\" ALTER CONSTRAINT \"a_b_fkey\" DEFERRABLE"),
            std::string::npos)
      << error;
}

TEST(Order, does_not_set_links_of_rows_that_no_key_names) {
  auto keyless = table("a", {{"b", "b", true}});
  keyless.key.clear();
  EXPECT_NE(error_of({keyless, table("b", {{"a", "a"}})}).find("a -> b -> a"), std::string::npos);
}

TEST(Order, needs_no_column_of_a_composite_key_but_one_that_may_be_null) {
  auto child = table("a", {{"b", "b"}});
  child.columns.push_back(column("b_kind", Kind::text, "text", true));
  child.foreign_keys[0].columns.push_back("b_kind");
  EXPECT_EQ(text_of(order_tables({child, table("b", {{"a", "a"}})})), "a | b ~a.b_kind");
}

TEST(Order, takes_a_configured_one_where_it_fits) {
  const std::vector<Table> tables = {table("a"), table("b", {{"c", "c"}}), table("c"), table("d")};
  EXPECT_EQ(text_of(order_tables(tables, {"d", "c"})), "d | c | a | b");
  EXPECT_EQ(text_of(order_tables(tables, {"gone", "c", "b"})), "c | b | a | d");
  EXPECT_EQ(error_of(tables, {"b", "a", "c"}),
            "the order goes against foreign keys: \"b\" comes before \"c\", to which b.c refers");
  EXPECT_EQ(error_of(tables, {"a", "a"}), "the order names \"a\" twice");
}

TEST(Order, is_that_of_the_guide_for_the_tables_of_the_guide) {
  const std::vector<std::string> guide = {"users",         "teams",
                                          "team_members",  "accounts",
                                          "projects",      "agents",
                                          "missions",      "tasks",
                                          "conversations", "messages",
                                          "preferences",   "insights",
                                          "agent_logs",    "provider_credentials",
                                          "tickets",       "events",
                                          "skills",        "routing_rules",
                                          "appreciations"};
  const auto order = order_tables(application(), guide);
  std::vector<std::string> found;
  for (const auto& step : order.steps) {
    ASSERT_EQ(step.tables.size(), 1U);
    found.push_back(step.tables.front());
  }
  EXPECT_EQ(found, guide);
  ASSERT_EQ(order.links.size(), 2U);
  EXPECT_EQ(order.links[0].table + "." + order.links[0].columns[0], "users.default_team_id");
  EXPECT_EQ(order.links[1].table + "." + order.links[1].columns[0], "tasks.parent_id");
}

}  // namespace
}  // namespace threadkeep::migration
