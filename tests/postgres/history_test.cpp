// SPDX-License-Identifier: Apache-2.0
// The way from a checkpoint to its ancestors, over rows that LangGraph's own saver left.
#include "reads_fixture.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres_test {
namespace {

class Histories : public ReadsFixture {
 protected:
  ChannelHistory of(const std::string& channel, std::optional<std::string> id = {}) {
    return history({"t", "", std::move(id), {channel}}).at(0);
  }
};

INSTANTIATE_TEST_SUITE_P(, Histories,
                         ::testing::Values(Place::fresh, Place::adopted, Place::set_up),
                         place_name);

TEST_P(Histories, take_the_blob_where_an_inline_marker_stands_beside_it) {
  checkpoint("t", "", "1", "", R"("a": "1")", R"("a": true)");
  blob("t", "a", "1", "snapshot");
  checkpoint("t", "", "2", "1", R"("a": "2")");
  const auto found = of("a");
  ASSERT_TRUE(found.seed);
  EXPECT_EQ(*found.seed, (Blob{"a", "1", "msgpack", Bytes::copy("snapshot")}));
  EXPECT_FALSE(found.inline_seed);
}

TEST_P(Histories, pass_over_values_that_are_none) {
  checkpoint("t", "", "1", "", R"("a": "1")");
  blob("t", "a", "1", "root");
  checkpoint("t", "", "2", "1", R"("a": "2")");
  empty_blob("t", "a", "2");
  checkpoint("t", "", "3", "2", R"("a": "3")");
  raw_.run("INSERT INTO checkpoint_blobs VALUES ('t', '', 'a', '3', 'msgpack', NULL)");
  checkpoint("t", "", "4", "3", R"("a": "4")");
  ASSERT_TRUE(of("a").seed);
  EXPECT_EQ(of("a").seed->data.view(), "root");
}

TEST_P(Histories, take_an_inline_value_where_the_blob_is_none) {
  checkpoint("t", "", "1", "", R"("a": "1")", R"("a": null)");
  empty_blob("t", "a", "1");
  checkpoint("t", "", "2", "1");
  const auto found = of("a");
  EXPECT_FALSE(found.seed);
  EXPECT_EQ(found.inline_seed, "null");
}

TEST_P(Histories, know_versions_that_are_numbers) {
  checkpoint("t", "", "1", "", R"("a": 1)");
  blob("t", "a", "1", "one");
  checkpoint("t", "", "2", "1", R"("a": 2)");
  EXPECT_EQ(of("a").seed, (Blob{"a", "1", "msgpack", Bytes::copy("one")}));
}

TEST_P(Histories, answer_a_channel_as_often_as_it_is_asked_for) {
  checkpoint("t", "", "1", "", R"("a": "1")");
  blob("t", "a", "1", "x");
  pending("t", "1", "task", 0, "a", "y");
  checkpoint("t", "", "2", "1");
  const auto found = history({"t", "", "2", {"a", "b", "a"}});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], found[2]);
  EXPECT_EQ(found[0].writes.size(), 1U);
  EXPECT_EQ(found[1], (ChannelHistory{"b", {}, {}, {}}));
}

TEST_P(Histories, end_in_a_circle_of_parents_with_each_write_once) {
  // 9 -> 3 -> 2 -> 1 -> 3: "b" has a value on the circle, "a" has none anywhere.
  checkpoint("t", "", "1", "3");
  checkpoint("t", "", "2", "1", R"("b": "2")");
  blob("t", "b", "2", "x");
  checkpoint("t", "", "3", "2");
  checkpoint("t", "", "9", "3");
  for (const auto* id : {"1", "2", "3", "9"}) {
    pending("t", id, "task", 0, "a", id);
    pending("t", id, "task", 1, "b", id);
  }
  const auto found = history({"t", "", "9", {"a", "b"}});
  EXPECT_EQ(writes_of(found.at(0).writes),
            (Strings{"/task/0 a=msgpack:1", "/task/0 a=msgpack:2", "/task/0 a=msgpack:3"}));
  EXPECT_EQ(writes_of(found.at(1).writes), (Strings{"/task/1 b=msgpack:2", "/task/1 b=msgpack:3"}));
  EXPECT_EQ(writes_of(of("a", "3").writes),
            (Strings{"/task/0 a=msgpack:1", "/task/0 a=msgpack:2"}));
}

TEST_P(Histories, bring_only_writes_of_the_channels_and_up_to_their_values) {
  checkpoint("t", "", "1");
  checkpoint("t", "", "2", "1", R"("a": "2")");
  blob("t", "a", "2", "x");
  checkpoint("t", "", "3", "2");
  for (const auto* id : {"1", "2", "3"}) {
    pending("t", id, "task", 0, "a", id);
    pending("t", id, "task", 1, "other", id);
  }
  raw_.run("UPDATE checkpoint_writes SET type = NULL");
  EXPECT_EQ(writes_of(of("a").writes), Strings{"/task/0 a=:2"});
  const Strings channels{"a"};
  postgres::Parameters parameters;
  parameters.text("t").text("").text_array(channels);
  const auto rows = connection_.run(statements_.history(true), std::move(parameters),
                                    postgres::Effect::none, Call());
  EXPECT_EQ(rows.size(), 4U) << "3 and 2, the value of 2 and its write";
}

TEST_P(Histories, go_back_ten_thousand_steps) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint) "
      "SELECT 't', lpad(n::text, 8, '0'), lpad((n - 1)::text, 8, '0'), "
      "jsonb_build_object('channel_versions', jsonb_build_object('a', n)) "
      "FROM generate_series(0, 10000) AS n");
  raw_.run(
      "INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob) "
      "SELECT 't', lpad(n::text, 8, '0'), 'task', 0, 'a', 'text', convert_to(n::text, 'UTF8') "
      "FROM generate_series(0, 10000) AS n");
  blob("t", "a", "0", "root");
  raw_.run("ANALYZE");
  const auto found = of("a");
  ASSERT_TRUE(found.seed);
  EXPECT_EQ(found.seed->data.view(), "root");
  ASSERT_EQ(found.writes.size(), 10'000U);
  for (std::size_t i = 0; i < found.writes.size(); ++i) {
    ASSERT_EQ(found.writes[i].data.view(), std::to_string(i));
  }
}

}  // namespace
}  // namespace threadkeep::postgres_test
