// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_copy_thread_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(Copy, brings_all_checkpoints_with_their_ids) {
  put_chain("t", 3);
  EXPECT_EQ(write(CopyThread{"t", "copy"}).changed, 3U);
  EXPECT_EQ(ids_of("copy"), ids_of("t"));
  EXPECT_EQ(load("copy", "3").parent_checkpoint_id, "2");
}

TEST_P(Copy, brings_values_and_metadata) {
  for (const auto* id : {"1", "2", "3"}) {
    put(Draft("t", id)
            .value("step", id, id)
            .inlined("n", id, id)
            .metadata(std::string(R"({"step": )") + id + R"(, "custom": {"a": [1]}})"));
  }
  write(CopyThread{"t", "copy"});
  for (const auto* id : {"1", "2", "3"}) {
    const auto original = load("t", id);
    const auto copy = load("copy", id);
    EXPECT_EQ(copy.values, original.values);
    EXPECT_TRUE(json_equal(copy.document, original.document));
    EXPECT_TRUE(json_equal(copy.metadata, original.metadata));
  }
}

TEST_P(Copy, brings_all_namespaces) {
  put_chain("t", 1);
  put_chain("t", 2, "child:1");
  EXPECT_EQ(write(CopyThread{"t", "copy"}).changed, 3U);
  EXPECT_TRUE(get("copy", "1"));
  EXPECT_EQ(load("copy", {}, "child:1").checkpoint_id, "2");
}

TEST_P(Copy, brings_the_writes) {
  put_chain("t", 2);
  const std::vector<PendingWrite> writes{pending("task", -3, "__interrupt__", "i", "path"),
                                         pending("task", 0, "a", "x", "path")};
  put_writes("t", "2", writes);
  write(CopyThread{"t", "copy"});
  EXPECT_EQ(load("copy").writes, writes);
}

TEST_P(Copy, brings_writes_whose_checkpoint_is_still_to_come) {
  put(Draft("t", "1"));
  put_writes("t", "2", {pending("task", 0, "a", "x")});
  write(CopyThread{"t", "copy"});
  put(Draft("copy", "2").parent("1"));
  EXPECT_EQ(load("copy", "2").writes.size(), 1U);
}

TEST_P(Copy, brings_the_metadata_of_the_thread) {
  put(Draft("t", "1"));
  write(PutThread{"t", R"({"user": "u"})"});
  write(CopyThread{"t", "copy"});
  ASSERT_TRUE(thread("copy"));
  EXPECT_TRUE(json_equal(thread("copy")->metadata, R"({"user": "u"})"));
}

TEST_P(Copy, leaves_the_source_alone) {
  put(Draft("t", "1").value("a", "1", "x"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  write(CopyThread{"t", "copy"});
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
  write(DeleteThread{"copy"});
  EXPECT_EQ(value_of(load("t"), "a"), "x");
  EXPECT_EQ(load("t").writes.size(), 1U);
}

TEST_P(Copy, lives_on_without_its_source) {
  put(Draft("t", "1").value("a", "1", "x"));
  write(CopyThread{"t", "copy"});
  write(DeleteThread{"t"});
  EXPECT_EQ(value_of(load("copy"), "a"), "x");
}

TEST_P(Copy, of_nobody_copies_nothing) {
  EXPECT_EQ(write(CopyThread{"nobody", "copy"}), Written{});
  EXPECT_EQ(ids_of("copy"), Strings{});
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Copy, onto_itself_changes_nothing) {
  put_chain("t", 2);
  EXPECT_EQ(write(CopyThread{"t", "t"}).changed, 0U);
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
}

TEST_P(Copy, twice_changes_nothing_more) {
  put_chain("t", 3);
  write(CopyThread{"t", "copy"});
  EXPECT_EQ(write(CopyThread{"t", "copy"}), (Written{.changed = 0, .kept = 3, .dropped = 0}));
  EXPECT_EQ(ids_of("copy"), (Strings{"3", "2", "1"}));
}

TEST_P(Copy, adds_what_the_source_has_since_gained) {
  put_chain("t", 2);
  write(CopyThread{"t", "copy"});
  put(Draft("t", "3").parent("2").value("a", "1", "x"));
  EXPECT_EQ(write(CopyThread{"t", "copy"}), (Written{.changed = 1, .kept = 2, .dropped = 0}));
  EXPECT_EQ(value_of(load("copy"), "a"), "x");
}

TEST_P(Copy, onto_checkpoints_that_the_source_lacks_is_a_conflict) {
  put_chain("t", 2);
  put(Draft("other", "9").value("a", "1", "x"));
  expect_error(Code::conflict, "copy_thread", [&] { write(CopyThread{"t", "other"}); });
  EXPECT_EQ(ids_of("other"), (Strings{"9"}));
  put(Draft("third", "1").ns("child"));
  expect_error(Code::conflict, "copy_thread", [&] { write(CopyThread{"t", "third"}); });
  EXPECT_EQ(ids_of("third"), (Strings{"1"}));
}

TEST_P(Copy, keeps_what_the_target_has) {
  put(Draft("t", "1").value("a", "1", "source").metadata(R"({"of": "source"})"));
  put(Draft("copy", "1").value("a", "1", "target").metadata(R"({"of": "target"})"));
  EXPECT_EQ(write(CopyThread{"t", "copy"}), (Written{.changed = 0, .kept = 1, .dropped = 0}));
  EXPECT_EQ(value_of(load("copy"), "a"), "target");
  EXPECT_TRUE(json_equal(load("copy").metadata, R"({"of": "target"})"));
}

}  // namespace

}  // namespace threadkeep::testing
