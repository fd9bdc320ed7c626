// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_put_cases() {}

namespace {

using Strings = std::vector<std::string>;

std::vector<std::string> channels_of(const CheckpointTuple& checkpoint) {
  std::vector<std::string> names;
  for (const auto& blob : checkpoint.values) names.push_back(blob.channel);
  return names;
}

TEST_P(Put, comes_back_as_it_was_put) {
  const PutCheckpoint put_in =
      Draft("t", "1")
          .value("msg", "1", "hello")
          .metadata(
              R"({"source": "loop", "step": 3, "run_id": "r", "custom_key": [1, {"a": null}]})");
  put(put_in);
  const auto found = load("t", "1");
  EXPECT_EQ(found.thread_id, "t");
  EXPECT_EQ(found.checkpoint_ns, "");
  EXPECT_EQ(found.checkpoint_id, "1");
  EXPECT_TRUE(json_equal(found.document, put_in.document)) << found.document;
  EXPECT_TRUE(json_equal(found.metadata, put_in.metadata)) << found.metadata;
  EXPECT_EQ(found.values, put_in.blobs);
}

TEST_P(Put, keeps_every_member_of_a_document) {
  PutCheckpoint checkpoint = Draft("t", "1");
  checkpoint.document = R"({
    "v": 1, "id": "1", "ts": "2026-01-01T00:00:00Z",
    "channel_values": {"text": "ä\"\\\n", "count": 42, "ratio": 0.5, "on": true, "none": null},
    "channel_versions": {"text": 1, "count": "2", "ratio": 3.5, "on": 4, "none": 5},
    "versions_seen": {"node1": {"ch": 1}, "node2": {"ch": "00002.5"}},
    "updated_channels": null, "pending_sends": [], "of_the_runtime": {"deep": [[], {}]}})";
  put(checkpoint);
  EXPECT_TRUE(json_equal(load("t", "1").document, checkpoint.document));
}

TEST_P(Put, keeps_numbers_exactly) {
  PutCheckpoint checkpoint = Draft("t", "1").metadata(R"({"n": -9007199254740993})");
  checkpoint.document = R"({"channel_versions": {}, "big": 9223372036854775807, "tiny": 5e-324,
                            "third": 0.30000000000000004, "unsigned": 18446744073709551615})";
  put(checkpoint);
  const auto found = load("t", "1");
  EXPECT_TRUE(json_equal(found.document, checkpoint.document)) << found.document;
  EXPECT_TRUE(json_equal(found.metadata, checkpoint.metadata)) << found.metadata;
  EXPECT_FALSE(json_equal(found.metadata, R"({"n": -9007199254740992})"));
}

TEST_P(Put, keeps_bytes_of_any_kind) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  PutCheckpoint checkpoint = Draft("t", "1").value("bytes", "1", every_byte).value("none", "1", "");
  checkpoint.blobs[0].type = "msgpack+aes";
  put(checkpoint);
  const auto values = load("t", "1").values;
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].data.view(), every_byte);
  EXPECT_EQ(values[0].type, "msgpack+aes");
  EXPECT_EQ(values[1].data.view(), "");
}

TEST_P(Put, keeps_a_value_of_megabytes) {
  std::string large(8 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i / 4096);
  put(Draft("t", "1").value("large", "1", large));
  EXPECT_EQ(value_of(load("t", "1"), "large"), large);
}

TEST_P(Put, says_how_many_rows_it_stored) {
  const auto first = put(Draft("t", "1").value("a", "1", "x").value("b", "1", "y"));
  EXPECT_EQ(first, (Written{.changed = 3, .kept = 0, .dropped = 0}));
  const auto second = put(Draft("t", "2").parent("1").value("a", "1", "z").value("b", "2", "y"));
  EXPECT_EQ(second, (Written{.changed = 2, .kept = 1, .dropped = 0}));
}

TEST_P(Put, has_a_root_namespace_and_others) {
  put(Draft("t", "1").value("a", "1", "root"));
  put(Draft("t", "1").ns("child:abc").value("a", "1", "child"));
  put(Draft("t", "1").ns("child:abc|inner:1").value("a", "1", "inner"));
  EXPECT_EQ(value_of(load("t", "1"), "a"), "root");
  EXPECT_EQ(value_of(load("t", "1", "child:abc"), "a"), "child");
  EXPECT_EQ(load("t", "1", "child:abc|inner:1").checkpoint_ns, "child:abc|inner:1");
  EXPECT_EQ(value_of(load("t", "1", "child:abc|inner:1"), "a"), "inner");
}

TEST_P(Put, keeps_several_checkpoints_of_a_thread) {
  put_chain("t", 3);
  for (const auto* id : {"1", "2", "3"}) EXPECT_EQ(load("t", id).checkpoint_id, id);
}

TEST_P(Put, keeps_threads_apart_though_versions_are_equal) {
  put(Draft("t1", "1").value("a", "1", "one"));
  put(Draft("t2", "1").value("a", "1", "two"));
  EXPECT_EQ(value_of(load("t1"), "a"), "one");
  EXPECT_EQ(value_of(load("t2"), "a"), "two");
}

TEST_P(Put, names_its_parent) {
  put(Draft("t", "1"));
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(load("t", "1").parent_checkpoint_id, std::nullopt);
  EXPECT_EQ(load("t", "2").parent_checkpoint_id, "1");
}

TEST_P(Put, accepts_a_parent_that_was_never_stored) {
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(load("t", "2").parent_checkpoint_id, "1");
  EXPECT_FALSE(get("t", "1"));
}

TEST_P(Put, shares_values_that_did_not_change) {
  put(Draft("t", "1").value("a", "1", "v1").value("b", "1", "v2"));
  put(Draft("t", "2").parent("1").value("a", "2", "new").carries("b", "1"));
  EXPECT_EQ(value_of(load("t", "2"), "a"), "new");
  EXPECT_EQ(value_of(load("t", "2"), "b"), "v2");
  EXPECT_EQ(value_of(load("t", "1"), "a"), "v1");
  EXPECT_EQ(value_of(load("t", "1"), "b"), "v2");
}

TEST_P(Put, may_bring_a_new_channel) {
  put(Draft("t", "1").value("a", "1", "x"));
  put(Draft("t", "2").parent("1").carries("a", "1").value("b", "2", "y"));
  EXPECT_EQ(channels_of(load("t", "2")), (Strings{"a", "b"}));
  EXPECT_EQ(channels_of(load("t", "1")), (Strings{"a"}));
}

TEST_P(Put, may_leave_a_channel_out) {
  put(Draft("t", "1").value("a", "1", "x").value("b", "1", "y"));
  put(Draft("t", "2").parent("1").carries("a", "1"));
  EXPECT_EQ(channels_of(load("t", "2")), (Strings{"a"}));
}

TEST_P(Put, finds_values_by_version_alone) {
  put(Draft("t", "1").value("a", "1", "old"));
  put(Draft("t", "2").parent("1").value("a", "2", "new"));
  put(Draft("t", "3").parent("2").carries("a", "1"));
  EXPECT_EQ(value_of(load("t", "3"), "a"), "old");
}

TEST_P(Put, takes_versions_that_are_numbers) {
  PutCheckpoint checkpoint = Draft("t", "1");
  checkpoint.document = R"({"channel_values": {}, "channel_versions": {"a": 7, "b": 1.5}})";
  checkpoint.blobs = {{"a", "7", "text", Bytes::copy("seven")},
                      {"b", "1.5", "text", Bytes::copy("one and a half")}};
  put(checkpoint);
  EXPECT_EQ(value_of(load("t", "1"), "a"), "seven");
  EXPECT_EQ(value_of(load("t", "1"), "b"), "one and a half");
}

TEST_P(Put, does_not_share_values_between_namespaces) {
  put(Draft("t", "1").value("a", "1", "root"));
  put(Draft("t", "1").ns("child").carries("a", "1"));
  EXPECT_EQ(load("t", "1", "child").values, std::vector<Blob>{});
}

TEST_P(Put, reads_no_value_that_nobody_stored) {
  put(Draft("t", "1").carries("a", "1"));
  EXPECT_EQ(load("t", "1").values, std::vector<Blob>{});
}

TEST_P(Put, keeps_inline_values_out_of_the_blobs) {
  put(Draft("t", "1").inlined("n", "1", "42").value("a", "1", "x"));
  const auto found = load("t", "1");
  EXPECT_EQ(channels_of(found), (Strings{"a"}));
  const auto inlined = read_document(found.document).inline_values;
  EXPECT_EQ(inlined, (std::vector<std::pair<std::string, std::string>>{{"n", "42"}}));
}

TEST_P(Put, orders_values_by_channel_bytewise) {
  put(Draft("t", "1")
          .value("é", "1", "")
          .value("a", "1", "")
          .value("Z", "1", "")
          .value("\U0001F600", "1", "")
          .value("\uFFFD", "1", ""));
  EXPECT_EQ(channels_of(load("t", "1")), (Strings{"Z", "a", "é", "\uFFFD", "\U0001F600"}));
}

TEST_P(Put, never_changes_a_stored_value) {
  put(Draft("t", "1").value("a", "1", "first"));
  EXPECT_EQ(put(Draft("t", "2").parent("1").value("a", "1", "second")).kept, 1U);
  EXPECT_EQ(value_of(load("t", "1"), "a"), "first");
  EXPECT_EQ(value_of(load("t", "2"), "a"), "first");
}

TEST_P(Put, replaces_document_metadata_and_parent_of_the_same_checkpoint) {
  put(Draft("t", "1").value("a", "1", "first"));
  put(Draft("t", "2"));
  put(Draft("t", "3").parent("1").carries("a", "1").metadata(R"({"step": 1, "gone": true})"));
  const PutCheckpoint again =
      Draft("t", "3").parent("2").value("b", "1", "other").metadata(R"({"step": 2})");
  put(again);
  const auto found = load("t", "3");
  EXPECT_EQ(found.parent_checkpoint_id, "2");
  EXPECT_TRUE(json_equal(found.metadata, R"({"step": 2})")) << found.metadata;
  EXPECT_TRUE(json_equal(found.document, again.document)) << found.document;
  EXPECT_EQ(channels_of(found), (Strings{"b"}));
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
}

TEST_P(Put, loses_its_parent_when_put_again_without) {
  put(Draft("t", "1"));
  put(Draft("t", "2").parent("1"));
  put(Draft("t", "2"));
  EXPECT_EQ(load("t", "2").parent_checkpoint_id, std::nullopt);
}

TEST_P(Put, keeps_pending_writes_when_put_again) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  put(Draft("t", "1").metadata(R"({"again": true})"));
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task 0 a x"}));
}

TEST_P(Put, twice_changes_nothing) {
  const PutCheckpoint checkpoint = Draft("t", "1").value("a", "1", "x");
  put(checkpoint);
  const auto before = load("t");
  put(checkpoint);
  const auto after = load("t");
  EXPECT_EQ(after.document, before.document);
  EXPECT_EQ(after.values, before.values);
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
}

TEST_P(Put, may_mark_a_channel_as_without_value) {
  PutCheckpoint checkpoint = Draft("t", "1").value("a", "1", "").value("b", "1", "x");
  checkpoint.blobs[0].type = empty_type;
  EXPECT_EQ(put(checkpoint).changed, 3U);
  EXPECT_EQ(channels_of(load("t", "1")), (Strings{"b"}));
  EXPECT_EQ(put(Draft("t", "2").parent("1").value("a", "1", "late")).kept, 1U);
  EXPECT_EQ(channels_of(load("t", "2")), Strings{});
  EXPECT_FALSE(history("t", "a", "2").seed);
}

}  // namespace

}  // namespace threadkeep::testing
