// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sessions/cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_message_edits_cases() {}

namespace {

using Strings = std::vector<std::string>;

UpdateMessage update_of(std::string id, std::string content,
                        std::optional<std::int64_t> expected_version = {}) {
  return {"t", std::move(id), std::move(content), {}, expected_version};
}

TEST_P(MessageEdits, replace_content_and_metadata) {
  append("t", {"a", "b"});
  const auto written = write(UpdateMessage{"t", "a", "{\"x\": 1}", "{\"m\": 2}", {}});
  EXPECT_EQ(written.changed, 1U);
  EXPECT_EQ(places(written.messages), Strings{"a@1"});
  EXPECT_EQ(written.messages.at(0).version, 2);
  EXPECT_EQ(written.revision, 2);
  const auto changed = message("t", "a");
  EXPECT_TRUE(json_equal(changed.content, "{\"x\": 1}"));
  EXPECT_TRUE(json_equal(changed.metadata, "{\"m\": 2}"));
  EXPECT_EQ(changed.role, "user");
  EXPECT_EQ(changed.version, 2);
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
  write(UpdateMessage{"t", "a", {}, "{}", {}});
  EXPECT_TRUE(json_equal(message("t", "a").content, "{\"x\": 1}"));
  EXPECT_EQ(message("t", "a").version, 3);
}

TEST_P(MessageEdits, that_change_nothing_count_nothing) {
  append("t", {"a"});
  const auto written = write(UpdateMessage{"t", "a", " \"a\" ", "{}", {}});
  EXPECT_EQ(written.changed, 0U);
  EXPECT_EQ(written.kept, 1U);
  EXPECT_EQ(message("t", "a").version, 1);
  EXPECT_EQ(revision("t"), 1);
}

TEST_P(MessageEdits, may_demand_a_version) {
  append("t", {"a"});
  EXPECT_EQ(write(update_of("a", "1", 1)).messages.at(0).version, 2);
  expect_error(Code::conflict, "version 2", [&] { write(update_of("a", "1", 1)); });
  EXPECT_EQ(write(update_of("a", "1", 2)).kept, 1U) << "equal";
  expect_error(Code::conflict, "version 2", [&] { write(update_of("a", "2", 1)); });
  expect_error(Code::conflict, "version 2", [&] { write(update_of("a", "1", 3)); });
  EXPECT_EQ(message("t", "a").content, "1");
}

TEST_P(MessageEdits, of_the_absent_are_dropped) {
  EXPECT_EQ(write(update_of("a", "1")).dropped, 1U);
  expect_error(Code::conflict, "absent", [&] { write(update_of("a", "1", 1)); });
  EXPECT_EQ(revision("t"), 0);
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(MessageEdits, remove_messages_by_id) {
  append("t", {"a", "b", "c"});
  EXPECT_EQ(write(RemoveMessages{"t", {"b", "absent", "b"}}).changed, 1U);
  EXPECT_EQ(message_ids("t"), (Strings{"a", "c"}));
  EXPECT_FALSE(access().message({"t", "b"}, Call{}));
  EXPECT_EQ(write(RemoveMessages{"t", {"b"}}).changed, 0U);
  EXPECT_EQ(revision("t"), 2);
  EXPECT_EQ(places(append("t", {"b"}).messages), Strings{"b@4"}) << "the id is free again";
}

TEST_P(MessageEdits, clear_one_stream_or_all) {
  append("t", {"a", "b"});
  write(AppendMessages{"t", "s", {new_message("c")}, {}, "", {}});
  append("u", {"a"});
  EXPECT_EQ(write(ClearMessages{"t", ""}).changed, 2U);
  EXPECT_EQ(message_ids("t"), Strings{});
  EXPECT_EQ(message_ids("t", "s"), Strings{"c"});
  append("t", {"d"});
  EXPECT_EQ(write(ClearMessages{"t", {}}).changed, 2U);
  EXPECT_EQ(message_ids("t", "s"), Strings{});
  EXPECT_EQ(write(ClearMessages{"t", {}}).changed, 0U);
  EXPECT_EQ(write(ClearMessages{"nobody", {}}).changed, 0U);
  EXPECT_EQ(message_ids("u"), Strings{"a"});
  EXPECT_EQ(thread_ids(), (Strings{"t", "u"}));
}

TEST_P(MessageEdits, are_checked) {
  expect_error(Code::invalid_argument, "content", [&] { write(update_of("a", "{")); });
  expect_error(Code::invalid_argument, "message id", [&] { write(update_of("", "1")); });
  expect_error(Code::invalid_argument, "1000", [&] {
    write(RemoveMessages{"t", Strings(1001, "x")});
  });
}

}  // namespace

}  // namespace threadkeep::testing
