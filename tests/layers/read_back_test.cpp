// SPDX-License-Identifier: Apache-2.0
// What a look at a store tells about a write that got lost.
#include "layers/read_back.hpp"

#include <gtest/gtest.h>

namespace threadkeep {
namespace {

using Kind = StateChange::Kind;

StateChange change(Kind kind, std::string value, std::int64_t expected) {
  return {"k", kind, std::move(value), expected};
}

std::optional<StateDocument> document(std::string value, std::int64_t version) {
  return StateDocument{"k", std::move(value), version};
}

TEST(TraceOf, a_change_of_state_is_never_taken_for_that_of_another_caller) {
  struct Row {
    StateChange change;
    std::optional<StateDocument> found;
    Trace expected;
  };
  const std::vector<Row> rows = {
      {change(Kind::put, "1", 0), {}, Trace::none},
      {change(Kind::put, "1", 3), document("0", 3), Trace::none},
      {change(Kind::put, "1", 3), document("1.0", 4), Trace::alike},  // ours, or one like it
      {change(Kind::put, "1", 3), document("2", 4), Trace::none},     // of another
      {change(Kind::put, "1", 3), document("2", 5), Trace::unclear},
      {change(Kind::put, "1", 3), document("2", 1), Trace::unclear},
      {change(Kind::put, "1", 3), {}, Trace::unclear},
      {change(Kind::put, "1", 0), document("1", 1), Trace::alike},
      {change(Kind::put, "1", 0), document("2", 1), Trace::none},
      {change(Kind::merge, "{}", 3), document("{}", 3), Trace::none},
      {change(Kind::merge, R"({"a":1})", 3), document(R"({"a":1,"b":2})", 4), Trace::alike},
      {change(Kind::merge, R"({"a":1})", 3), document(R"({"b":2})", 4), Trace::none},
      {change(Kind::merge, R"({"a":1})", 3), document(R"({"a":1})", 5), Trace::unclear},
      {change(Kind::erase, "", 3), document("0", 3), Trace::none},
      {change(Kind::erase, "", 3), {}, Trace::alike},
      {change(Kind::erase, "", 3), document("0", 4), Trace::unclear},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(trace_of(rows[i].change, rows[i].found), rows[i].expected) << "row " << i;
  }
}

TEST(TraceOf, an_update_of_a_message_is_never_taken_for_that_of_another_caller) {
  const auto stored = [](std::string content, std::string metadata, std::int64_t version) {
    return Message{"", 1, "m", "user", std::move(content), std::move(metadata), 0, version};
  };
  struct Row {
    UpdateMessage update;
    std::optional<Message> found;
    Trace expected;
  };
  const std::vector<Row> rows = {
      {{"t", "m", "1", {}, 3}, stored("0", "{}", 3), Trace::none},
      {{"t", "m", "1", {}, 3}, stored("1", "{}", 4), Trace::alike},
      {{"t", "m", "1", {}, 3}, stored("2", "{}", 4), Trace::none},
      {{"t", "m", "1", "{}", 3}, stored("1", "{\"a\":1}", 4), Trace::none},
      {{"t", "m", {}, "{}", 3}, stored("2", "{ }", 4), Trace::alike},
      {{"t", "m", "1", {}, 3}, stored("2", "{}", 5), Trace::unclear},
      {{"t", "m", "1", {}, 3}, {}, Trace::unclear},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(trace_of(rows[i].update, rows[i].found), rows[i].expected) << "row " << i;
  }
}

TEST(ReadBack, is_for_what_demands_a_version) {
  EXPECT_TRUE(needs_read_back(UpdateMessage{"t", "m", "1", {}, 1}));
  EXPECT_FALSE(needs_read_back(UpdateMessage{"t", "m", "1", {}, {}}));
  EXPECT_TRUE(needs_read_back(ChangeState{StateScope::of_thread("t"),
                                          {{"a", Kind::put, "1", {}}, change(Kind::put, "1", 0)}}));
  EXPECT_FALSE(
      needs_read_back(ChangeState{StateScope::of_thread("t"), {{"a", Kind::put, "1", {}}}}));
  PutCheckpoint put;
  put.require_latest_parent = true;
  EXPECT_FALSE(needs_read_back(put));
  EXPECT_FALSE(needs_read_back(AppendMessages{"t", "", {}, {}, "", 7}));
}

TEST(Repetition, is_for_all_but_pops_without_a_name) {
  EXPECT_FALSE(can_be_repeated(PopMessages{"t", "", 1, ""}));
  EXPECT_TRUE(can_be_repeated(PopMessages{"t", "", 1, "o"}));
  EXPECT_FALSE(can_be_repeated(DeleteThread{"t"})) << "it could delete what is made anew";
  EXPECT_FALSE(can_be_repeated(PutThread{"t", "{}"}));
  EXPECT_FALSE(can_be_repeated(ClearMessages{"t", {}}));
  const auto put = [](std::optional<std::int64_t> expected) {
    return ChangeState{StateScope::of_thread("t"), {{"k", Kind::put, "1", expected}}};
  };
  EXPECT_FALSE(can_be_repeated(put({})));
  EXPECT_TRUE(can_be_repeated(put(3)));
  EXPECT_FALSE(can_be_repeated(UpdateMessage{"t", "m", "1", {}, {}}));
  EXPECT_TRUE(can_be_repeated(UpdateMessage{"t", "m", "1", {}, 3}));
  AppendMessages append{"t", "", {{"1", "user", "1"}}, {}, "", {}};
  EXPECT_FALSE(can_be_repeated(append)) << "it could come back after it was cleared";
  append.operation_id = "o";
  EXPECT_TRUE(can_be_repeated(append));
  EXPECT_TRUE(can_be_repeated(PutWrites{"t", "", "1", {{"task", 0, "c", "", "text", Bytes("v")}}}));
  EXPECT_FALSE(
      can_be_repeated(PutWrites{"t", "", "1", {{"task", -1, "c", "", "text", Bytes("v")}}}));
}

}  // namespace
}  // namespace threadkeep
