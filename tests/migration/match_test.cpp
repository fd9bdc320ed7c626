// SPDX-License-Identifier: Apache-2.0
// Which columns are copied into which, and what stands against it.
#include "migration/tier/match.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "schemas.hpp"

namespace threadkeep::migration {
namespace {

struct Found {
  TableMatch match;
  std::vector<Problem> problems;

  std::string columns() const {
    std::string text;
    for (const auto& pair : match.columns) text += pair.target + " ";
    return text;
  }
  std::string update() const {
    std::string text;
    for (const auto& name : match.update) text += name + " ";
    return text;
  }
  std::string problem() const {
    EXPECT_EQ(problems.size(), 1U);
    return problems.empty() ? "" : problems.front().text;
  }
};

Found match(const Table& source, const Table& target, const std::set<std::string>& left_out = {}) {
  Found found;
  found.match = match_table(source, target, left_out, found.problems);
  return found;
}

Table with(Table made, std::vector<Column> columns) {
  made.columns.insert(made.columns.end(), columns.begin(), columns.end());
  return made;
}

Column vector_of(const char* name, int dimensions, const std::string& type = "vector") {
  Column made = column(name, Kind::vector, type + "(" + std::to_string(dimensions) + ")");
  made.dimensions = dimensions;
  return made;
}

TEST(Match, takes_columns_that_both_have) {
  const auto source = with(table("t"), {column("b", Kind::text), column("a", Kind::json)});
  const auto target = with(table("t"), {column("a", Kind::json), column("b", Kind::text)});
  const auto found = match(source, target);
  EXPECT_EQ(found.columns(), "id b a ");
  EXPECT_EQ(found.update(), "b a ");
  EXPECT_TRUE(found.problems.empty());
  EXPECT_TRUE(found.match.notes.empty());
}

TEST(Match, refuses_to_lose_a_column_silently) {
  const auto source = with(table("t"), {column("note", Kind::text)});
  EXPECT_EQ(match(source, table("t")).problem(), "t.note has no column in the target");
  const auto found = match(source, table("t"), {"note"});
  EXPECT_TRUE(found.problems.empty());
  EXPECT_EQ(found.columns(), "id ");
  EXPECT_EQ(found.match.notes, std::vector<std::string>{"t.note is left out, as you asked"});
}

TEST(Match, does_not_leave_a_part_of_the_key_behind) {
  EXPECT_EQ(match(table("t"), table("t"), {"id"}).problems.front().text,
            "t.id is part of the key and cannot be left behind");
}

TEST(Match, needs_a_value_for_every_column_that_may_not_be_null) {
  auto strict = column("kind", Kind::text, "text", false);
  EXPECT_EQ(match(table("t"), with(table("t"), {strict})).problem(),
            "t.kind of the target has no column in the source and may not be NULL");
  EXPECT_EQ(
      match(with(table("t"), {column("kind", Kind::text)}), with(table("t"), {strict}), {"kind"})
          .problem(),
      "t.kind of the target gets no value and may not be NULL");
  strict.has_default = true;
  EXPECT_TRUE(match(table("t"), with(table("t"), {strict})).problems.empty());
}

TEST(Match, leaves_columns_alone_that_only_the_target_has) {
  const auto target = with(table("insights"), {vector_of("embedding", 3), column("n", Kind::text)});
  const auto found = match(table("insights"), target);
  EXPECT_TRUE(found.problems.empty());
  EXPECT_EQ(found.columns(), "id ");
  EXPECT_EQ(found.update(), "") << "what was computed there stays";
  EXPECT_EQ(found.match.null_vectors, std::vector<std::string>{"insights.embedding"});
}

TEST(Match, compares_vectors_by_their_dimensions) {
  const auto three = with(table("t"), {vector_of("v", 3)});
  const auto four = with(table("t"), {vector_of("v", 4)});
  const auto half = with(table("t"), {vector_of("v", 3, "halfvec")});
  const auto any = with(table("t"), {column("v", Kind::vector, "vector")});
  EXPECT_TRUE(match(three, three).problems.empty());
  EXPECT_NE(match(three, four).problem().find("vector(3) to vector(4)"), std::string::npos);
  EXPECT_TRUE(match(three, any).problems.empty());
  EXPECT_TRUE(match(any, three).problems.empty());
  EXPECT_EQ(match(three, half).match.notes,
            std::vector<std::string>{"t.v goes from vector(3) to halfvec(3), which loses half of "
                                     "the bits"});
}

TEST(Match, does_not_write_what_is_computed) {
  auto computed = column("total", Kind::numeric);
  computed.generated = true;
  const auto ordinary = column("total", Kind::numeric);
  EXPECT_EQ(match(with(table("t"), {computed}), with(table("t"), {computed})).columns(), "id ");
  EXPECT_EQ(match(with(table("t"), {ordinary}), with(table("t"), {computed})).columns(), "id ");
  const auto found = match(with(table("t"), {computed}), with(table("t"), {ordinary}));
  EXPECT_EQ(found.columns(), "id ");
  EXPECT_EQ(found.match.notes.size(), 1U);
}

TEST(Match, inserts_an_identity_and_does_not_update_it) {
  auto identity = column("n", Kind::integer);
  identity.identity = tables::Identity::always;
  const auto found = match(with(table("t"), {column("n", Kind::integer), column("a", Kind::text)}),
                           with(table("t"), {identity, column("a", Kind::text)}));
  EXPECT_EQ(found.columns(), "id n a ");
  EXPECT_EQ(found.update(), "a ");
  EXPECT_EQ(found.match.notes,
            std::vector<std::string>{"t.n is always generated in the target: rows that are there "
                                     "keep their value, and differ where the source has another"});
}

TEST(Match, finds_what_says_which_row_is_newer) {
  const auto time = column("updated_at", Kind::timestamp_with_zone);
  const auto version = column("version", Kind::integer);
  EXPECT_EQ(match(with(table("t"), {version, time}), with(table("t"), {version, time})).match.guard,
            "updated_at");
  EXPECT_EQ(match(with(table("t"), {version}), with(table("t"), {version, time})).match.guard,
            "version");
  EXPECT_EQ(match(table("t"), with(table("t"), {time})).match.guard, std::nullopt);
  EXPECT_EQ(match(with(table("t"), {version, time}), with(table("t"), {version, time}))
                .match.second_guard,
            "version");
  for (const Kind kind : {Kind::text, Kind::floating, Kind::date}) {
    const auto other = column("updated_at", kind);
    const auto found = match(with(table("t"), {other}), with(table("t"), {other}));
    EXPECT_EQ(found.match.guard, "updated_at") << to_string(kind);
    EXPECT_TRUE(found.match.notes.empty());
  }
  const auto text = column("version", Kind::text, "text");
  EXPECT_EQ(match(with(table("t"), {text}), with(table("t"), {text})).match.guard, std::nullopt)
      << "9 is not after 10";
  EXPECT_EQ(match(with(table("t"), {text}), with(table("t"), {text})).match.notes,
            std::vector<std::string>{"t.version is text and does not tell which of two rows is "
                                     "newer: rows of the target are replaced whatever it says"});
  EXPECT_TRUE(
      match(with(table("t"), {text, time}), with(table("t"), {text, time})).match.notes.empty());
}

TEST(Match, needs_the_key_of_the_target_to_name_one_row_of_the_source) {
  auto source = with(table("t"), {column("name", Kind::text, "text", false)});
  auto target = source;
  target.key = {"name"};
  EXPECT_EQ(match(source, target).problem(),
            "t has the key t.name in the target, and t.id in the source");
  source.other_keys = {{"name"}};
  EXPECT_TRUE(match(source, target).problems.empty());
  source.other_keys.clear();
  source.key.clear();
  EXPECT_TRUE(match(source, target).problems.empty()) << "the target decides";
}

TEST(Match, refuses_a_key_that_is_computed) {
  const auto plain = with(table("t"), {column("code", Kind::text)});
  auto computed = plain;
  computed.columns.back().generated = true;
  computed.key = {"code"};
  auto by_code = plain;
  by_code.key = {"code"};
  EXPECT_EQ(match(computed, by_code).problem(),
            "t.code is computed, and part of the key of the source");
  EXPECT_EQ(match(by_code, computed).problem(),
            "t.code is computed, and part of the key of the target");
}

TEST(Match, only_inserts_rows_that_no_key_names) {
  auto keyless = table("t");
  keyless.key.clear();
  EXPECT_TRUE(match(table("t"), keyless).match.keyless);
  EXPECT_FALSE(match(keyless, table("t")).match.keyless);
  auto other = table("t");
  other.columns[0].name = "number";
  other.columns[0].identity = tables::Identity::by_default;
  other.key = {"number"};
  auto source = with(Table{}, {column("a", Kind::text)});
  source.name = "t";
  EXPECT_TRUE(match(source, with(other, {column("a", Kind::text)})).match.keyless);
}

TEST(Kinds, are_refused_with_both_types) {
  const auto source = with(table("t"), {column("data", Kind::bytes, "BLOB")});
  const auto target = with(table("t"), {column("data", Kind::text, "text")});
  EXPECT_EQ(match(source, target).problem(),
            "t.data goes from BLOB to text, which cannot be converted");
  EXPECT_EQ(match(source, target).problems.front().remedy,
            "give both columns types that fit, or leave it behind with --skip t.data");
}

TEST(Kinds, of_one_engine_only_go_by_their_text) {
  EXPECT_EQ(conversion(column("a", Kind::other, "text[]"), column("a", Kind::other, "text[]")).fit,
            Fit::same);
  EXPECT_EQ(conversion(column("a", Kind::other, "mood"), column("a", Kind::other, "feeling")).fit,
            Fit::converts);
}

TEST(Kinds, tell_of_a_narrower_type_of_the_same_kind) {
  struct Row {
    Kind kind;
    std::string source;
    std::string target;
    Fit expected;
  };
  const std::vector<Row> rows = {
      {Kind::numeric, "numeric(12,4)", "numeric(12,2)", Fit::lossy},
      {Kind::numeric, "numeric", "numeric(12,2)", Fit::lossy},
      {Kind::numeric, "numeric(12,2)", "numeric(10)", Fit::lossy},
      {Kind::numeric, "numeric(12,2)", "numeric(12,4)", Fit::same},
      {Kind::numeric, "numeric(12,2)", "numeric", Fit::same},
      {Kind::timestamp, "timestamp without time zone", "timestamp(0) without time zone",
       Fit::lossy},
      {Kind::timestamp, "timestamp(3) without time zone", "timestamp without time zone", Fit::same},
      {Kind::timestamp, "DATETIME", "timestamp without time zone", Fit::lossy},
      {Kind::timestamp, "DATETIME", "DATETIME", Fit::same},
      {Kind::timestamp_with_zone, "timestamp(6) with time zone", "timestamp(3) with time zone",
       Fit::lossy},
      {Kind::time, "time without time zone", "time(0) without time zone", Fit::lossy},
      {Kind::floating, "double precision", "real", Fit::lossy},
      {Kind::floating, "real", "double precision", Fit::same},
      {Kind::text, "character varying(10)", "character varying(3)", Fit::converts},
      {Kind::text, "text", "character varying(3)", Fit::converts},
      {Kind::text, "character varying(3)", "character varying(3)", Fit::same},
  };
  for (const Row& row : rows) {
    const auto found =
        conversion(column("a", row.kind, row.source), column("a", row.kind, row.target));
    EXPECT_EQ(found.fit, row.expected) << row.source << " to " << row.target;
  }
}

TEST(Kinds, offsets_in_texts_are_lost_in_a_column_without_zone) {
  const auto text = column("at", Kind::text, "TEXT");
  const auto found =
      conversion(text, column("at", Kind::timestamp, "timestamp(3) without time zone"));
  EXPECT_EQ(found.fit, Fit::lossy);
  EXPECT_EQ(found.note, "offsets such as +05:00, in texts that have them");
  EXPECT_EQ(conversion(text, column("at", Kind::timestamp, "DATETIME")).fit, Fit::converts);
  EXPECT_EQ(
      conversion(text, column("at", Kind::timestamp_with_zone, "timestamp with time zone")).fit,
      Fit::converts);
}

// The rows of the table of the page: kind, kind, what becomes of it, note.
std::vector<std::string> table_of_kinds() {
  std::vector<std::string> lines;
  for (const Kind source : all_kinds()) {
    for (const Kind target : all_kinds()) {
      const auto found = conversion(source, target);
      if (source == target || found.fit == Fit::refused) continue;
      lines.push_back("| " + std::string(to_string(source)) + " | " +
                      std::string(to_string(target)) + " | " + std::string(to_string(found.fit)) +
                      " | " + std::string(found.note) + " |");
    }
  }
  return lines;
}

TEST(Kinds, are_on_the_page) {
  std::ifstream file(MIGRATE_PAGE);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    const bool row = line.find("| converts |") != std::string::npos ||
                     line.find("| lossy |") != std::string::npos;
    if (row) lines.push_back(line);
  }
  EXPECT_EQ(lines, table_of_kinds());
}

}  // namespace
}  // namespace threadkeep::migration
