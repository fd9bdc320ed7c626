// SPDX-License-Identifier: Apache-2.0
// What is copied, what stays behind and why, and when two plans are the same.
#include "migration/tier/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "migration/tier/run.hpp"
#include "migration/tier/tier.hpp"
#include "migration/tier/verify.hpp"
#include "schemas.hpp"

namespace threadkeep::migration {
namespace {

using tables::Schema;

Schema schema(std::vector<Table> tables) {
  Schema made;
  made.name = "public";
  made.tables = std::move(tables);
  return made;
}

Plan plan(const std::vector<Table>& source, const std::vector<Table>& target,
          const PlanOptions& options = {}) {
  return make_plan(schema(source), schema(target), false, options);
}

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& each : plan.tables) names.push_back(each.name());
  return names;
}

std::string reason(const std::string& table, const SkipChoice& choice = {}) {
  return SkipList(choice).reason(table).value_or("");
}

TEST(Skip, leaves_short_lived_tables_and_credentials_behind) {
  for (const char* name : {"sessions", "session", "verifications", "admin_tokens", "accounts",
                           "provider_credentials", "alembic_version"}) {
    EXPECT_NE(reason(name), "") << name;
  }
  for (const char* name : {"users", "Sessions", "session_notes", "account_types"}) {
    EXPECT_EQ(reason(name), "") << name;
  }
}

TEST(Skip, copies_credentials_where_that_is_asked_for) {
  SkipChoice choice;
  choice.include_credentials = true;
  EXPECT_EQ(reason("accounts", choice), "");
  EXPECT_TRUE(SkipList(choice).holds_credentials("accounts"));
  EXPECT_FALSE(SkipList(choice).holds_credentials("users"));
  EXPECT_FALSE(SkipList({}).holds_credentials("accounts"));
  choice.skip = {"accounts"};
  EXPECT_EQ(reason("accounts", choice), "as you asked");
  EXPECT_NE(reason("sessions", choice), "");
}

TEST(Skip, knows_columns_by_their_table) {
  SkipChoice choice;
  choice.skip = {"a.b", "a.c", "a", "ab.d"};
  EXPECT_EQ(SkipList(choice).columns("a"), (std::set<std::string>{"b", "c"}));
  EXPECT_TRUE(SkipList(choice).columns("b").empty());
}

TEST(Skip, tells_what_is_not_there) {
  auto events = table("events");
  events.columns.push_back(column("expires_at", Kind::timestamp));
  SkipChoice choice;
  choice.skip = {"events.id", "events.x", "event", "skills"};
  choice.without_expired = {"events", "skills"};
  EXPECT_EQ(SkipList(choice).unknown({events, table("skills")}),
            (std::vector<std::string>{"events.x", "event", "skills"}));
}

TEST(Skip, goes_by_expiry_only_in_tables_that_are_named) {
  auto leases = table("leases");
  auto events = table("events");
  for (auto* each : {&leases, &events}) {
    each->columns.push_back(column("expires_at", Kind::timestamp_with_zone));
  }
  EXPECT_EQ(SkipList({}).expiry(leases), "expires_at");
  EXPECT_EQ(SkipList({}).expiry(events), std::nullopt);
  EXPECT_EQ(SkipList({}).expiry(table("leases")), std::nullopt);
  SkipChoice choice;
  choice.without_expired = {"events"};
  EXPECT_EQ(SkipList(choice).expiry(events), "expires_at");
}

TEST(Plan, copies_rows_first_and_links_then) {
  const auto made = plan(application(), application());
  EXPECT_TRUE(made.problems.empty());
  const auto& users = made.table("users");
  EXPECT_EQ(users.rows.read, std::vector<std::string>{"id"});
  EXPECT_EQ(users.rows.target.nulls, std::vector<std::string>{"default_team_id"});
  ASSERT_TRUE(users.links);
  EXPECT_EQ(users.links->read, (std::vector<std::string>{"id", "default_team_id"}));
  EXPECT_EQ(users.links->target.update, std::vector<std::string>{"default_team_id"});
  EXPECT_EQ(users.links->target.mode, tables::Target::Mode::update_only);
  EXPECT_EQ(users.everything.read, (std::vector<std::string>{"id", "default_team_id"}));
  EXPECT_TRUE(users.everything.target.nulls.empty());
  EXPECT_FALSE(made.table("events").links);
}

// By all they hold the rows are known that pass 1 wrote, and those that are newer in the target.
TEST(Plan, reads_all_columns_for_links_where_rows_may_be_newer) {
  auto tables = application();
  const auto users = std::find_if(tables.begin(), tables.end(),
                                  [](const auto& each) { return each.name == "users"; });
  users->columns.push_back(column("name", Kind::text));
  users->columns.push_back(column("updated_at", Kind::timestamp));
  const auto made = plan(tables, tables);
  const auto& links = made.table("users").links;
  ASSERT_TRUE(links);
  EXPECT_EQ(links->target.guard, "updated_at");
  EXPECT_EQ(links->read, (std::vector<std::string>{"id", "default_team_id", "name", "updated_at"}));
  EXPECT_EQ(links->target.update, std::vector<std::string>{"default_team_id"});
}

TEST(Plan, says_what_is_skipped_and_who_refers_to_it) {
  auto tables = application();
  tables.push_back(table("vault", {{"credential_id", "provider_credentials", true}}));
  const auto made = plan(tables, tables);
  ASSERT_EQ(made.skipped.size(), 2U);
  EXPECT_EQ(made.skipped[0].table.name, "accounts");
  const auto& notes = made.notes;
  EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [](const auto& note) {
    return note.starts_with("vault.credential_id refers to \"provider_credentials\"");
  }));
}

TEST(Plan, projects_vectors_with_the_note_that_users_know) {
  auto target = table("insights");
  target.columns.push_back(column("embedding", Kind::vector, "vector(3)"));
  const auto made = plan({table("insights")}, {target});
  ASSERT_EQ(made.notes.size(), 1U);
  EXPECT_TRUE(made.notes[0].starts_with(
      "Source tier has no pgvector support. insights.embedding will be NULL"));
}

TEST(Plan, keeps_tables_apart_that_the_target_lacks) {
  const auto made = plan({table("a"), table("b")}, {table("a"), table("c")});
  EXPECT_EQ(names(made), std::vector<std::string>{"a"});
  ASSERT_EQ(made.without_target.size(), 1U);
  EXPECT_EQ(made.without_target[0].table.name, "b");
  EXPECT_EQ(made.notes, std::vector<std::string>{"Only the target has: c"});
}

TEST(Plan, makes_a_group_of_a_table_without_key) {
  auto keyless = table("log");
  keyless.key.clear();
  const auto made = plan({keyless}, {keyless});
  EXPECT_TRUE(made.steps[0].group);
  EXPECT_TRUE(made.tables[0].keyless());
}

TEST(Plan, has_a_hash_of_all_that_decides_what_is_copied) {
  const auto tables = application();
  const std::string hash = plan(tables, tables).hash;
  EXPECT_EQ(hash.size(), 64U);
  auto reversed = tables;
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(plan(reversed, tables).hash, hash);

  std::vector<std::string> hashes = {hash};
  PlanOptions options;
  options.skip.skip = {"events"};
  hashes.push_back(plan(tables, tables, options).hash);
  options.skip.skip.clear();
  options.skip.include_credentials = true;
  hashes.push_back(plan(tables, tables, options).hash);
  auto more = tables;
  more[0].columns.push_back(column("name", Kind::text));
  hashes.push_back(plan(more, more).hash);
  more[0].columns.back().kind = Kind::json;
  hashes.push_back(plan(more, more).hash);
  auto guarded = tables;
  guarded[0].columns.push_back(column("version", Kind::integer));
  hashes.push_back(plan(guarded, guarded).hash);
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Run, is_gone_on_with_only_by_the_same_migration) {
  tables::Run run;
  run.id = "r1";
  run.source = "sqlite 1:2";
  run.plan_hash = "h";
  check_same_run(run, "sqlite 1:2", "h");
  const auto message = [&](const char* source, const char* hash) {
    try {
      check_same_run(run, source, hash);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::conflict);
      return error.message();
    }
    return std::string();
  };
  EXPECT_NE(message("sqlite 1:3", "h").find("its source was sqlite 1:2"), std::string::npos);
  EXPECT_NE(message("sqlite 1:2", "g").find("--new-run"), std::string::npos);
}

TEST(Run, counts_what_was_rejected_in_all_passes) {
  tables::Run run;
  auto progress = progress_of(run, "a", 1);
  progress.counts.rejected = 2;
  remember(run, progress);
  remember(run, progress);
  auto links = progress_of(run, "a", 2);
  links.counts.rejected = 1;
  remember(run, links);
  EXPECT_EQ(rejected_rows(run), 3U);
  EXPECT_EQ(progress_of(run, "a", 1).counts.rejected, 2U);
}

tables::DatabaseInfo info(const char* engine, tables::VectorSupport vectors) {
  tables::DatabaseInfo info;
  info.engine = engine;
  info.version = "15.6";
  info.vectors = vectors;
  return info;
}

TEST(Tier, is_what_a_database_can_do) {
  using tables::VectorSupport;
  EXPECT_EQ(tier_of(info("sqlite", VectorSupport::no_library)), Tier::local);
  EXPECT_EQ(tier_of(info("pglite", VectorSupport::installed)), Tier::local);
  EXPECT_EQ(tier_of(info("postgres", VectorSupport::available)), Tier::standalone);
  EXPECT_EQ(tier_of(info("postgres", VectorSupport::installed)), Tier::federated);
  for (const Tier tier : {Tier::local, Tier::standalone, Tier::federated}) {
    EXPECT_EQ(tier_named(to_string(tier)), tier);
  }
  EXPECT_EQ(tier_named("team"), std::nullopt);
}

TEST(Tier, tells_the_ways_apart_in_which_vectors_are_missing) {
  using tables::VectorSupport;
  const auto remedy = [](VectorSupport vectors) {
    const auto problem = stands_against(Tier::federated, info("postgres", vectors));
    return problem ? problem->remedy : "";
  };
  EXPECT_EQ(remedy(VectorSupport::installed), "");
  EXPECT_EQ(remedy(VectorSupport::available),
            "run CREATE EXTENSION vector in the target's database");
  EXPECT_NE(remedy(VectorSupport::no_permission).find("superuser"), std::string::npos);
  EXPECT_NE(remedy(VectorSupport::no_library).find("postgresql-15-pgvector"), std::string::npos);
  EXPECT_FALSE(stands_against(Tier::standalone, info("postgres", VectorSupport::no_library)));
  EXPECT_TRUE(stands_against(Tier::standalone, info("sqlite", VectorSupport::no_library)));
  EXPECT_TRUE(stands_against(Tier::local, info("postgres", VectorSupport::installed)));
  auto standby = info("postgres", VectorSupport::installed);
  standby.in_recovery = true;
  EXPECT_NE(stands_against(Tier::federated, standby)->text.find("standby"), std::string::npos);
}

TEST(Verification, does_not_count_what_the_copy_has_told) {
  const auto made = plan({table("a")}, {table("a")});
  const auto left = [&](const tables::Differences& found, const tables::Differences& rejected,
                        const Expected& expected) {
    TableVerdict verdict;
    verdict.table = "a";
    verdict.differences = found;
    verdict.rejected = rejected;
    return unexpected({{verdict}}, made, expected).tables[0].differences;
  };
  // Two rows were rejected: one is missing, one is there, and newer. Three others are newer, which
  // the run kept.
  tables::TableProgress copied;
  copied.table = "a";
  copied.counts.kept = 3;
  const tables::Differences rejected{.missing = 1, .different = 1, .newer = 1, .examples = {}};
  tables::Differences found{.missing = 1, .different = 4, .newer = 4, .examples = {}};
  EXPECT_EQ(left(found, rejected, {false, {copied}}).total(), 0U);
  // Those that became newer since, by a trigger, say, differ.
  EXPECT_EQ(left(found, rejected, {}).different, 3U);
  // Others are no less wrong for that.
  found.missing = 2;
  found.different = 5;
  found.extra = 5;
  EXPECT_EQ(left(found, rejected, {false, {copied}}).missing, 1U);
  EXPECT_EQ(left(found, rejected, {false, {copied}}).different, 1U);
  EXPECT_EQ(left(found, rejected, {false, {copied}}).extra, 5U);
  EXPECT_EQ(left(found, rejected, {true, {copied}}).extra, 0U);
  // Rejected rows that are equal by now do not excuse others.
  tables::TableProgress progress;
  progress.table = "a";
  progress.counts.rejected = 2;
  progress.counts.kept = 4;
  found.newer = 0;
  EXPECT_EQ(left(found, {}, {true, {progress}}).total(), 7U);
}

}  // namespace
}  // namespace threadkeep::migration
