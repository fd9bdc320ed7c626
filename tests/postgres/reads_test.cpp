// SPDX-License-Identifier: Apache-2.0
// What get and list make of rows that LangGraph's own saver left.
#include <algorithm>
#include <set>

#include "reads_fixture.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres_test {
namespace {

class Reads : public ReadsFixture {};

INSTANTIATE_TEST_SUITE_P(, Reads, ::testing::Values(Place::fresh, Place::adopted, Place::set_up),
                         place_name);

CheckpointList of_thread(std::string thread_id) {
  CheckpointList query;
  query.thread_id = std::move(thread_id);
  return query;
}

TEST_P(Reads, bring_a_checkpoint_as_langgraph_wrote_it) {
  checkpoint("t", "", "1");
  checkpoint("t", "", "2", "1", R"("b": "00.1", "a": "00.2", "é": "x")", R"("n": 1, "s": null)",
             R"({"source": "loop", "step": 1})");
  for (const auto* channel : {"b", "é"})
    blob("t", channel, channel == std::string("b") ? "00.1" : "x", "\\x00ff");
  blob("t", "a", "00.2", "text");
  blob("t", "a", "00.1", "older");
  const auto found = load("t");
  EXPECT_EQ(found.thread_id, "t");
  EXPECT_EQ(found.checkpoint_ns, "");
  EXPECT_EQ(found.checkpoint_id, "2");
  EXPECT_EQ(found.parent_checkpoint_id, "1");
  EXPECT_TRUE(json_equal(found.document, R"({"v": 4, "channel_values": {"n": 1, "s": null},
      "channel_versions": {"a": "00.2", "b": "00.1", "é": "x"}})"));
  EXPECT_TRUE(json_equal(found.metadata, R"({"source": "loop", "step": 1})"));
  const std::string raw("\0\xff", 2);
  EXPECT_EQ(values_of(found),
            (Strings{"a@00.2=msgpack:text", "b@00.1=msgpack:" + raw, "é@x=msgpack:" + raw}));
  EXPECT_EQ(load("t", "1").parent_checkpoint_id, std::nullopt);
}

TEST_P(Reads, leave_out_values_that_are_none) {
  checkpoint("t", "", "1", "", R"("a": "1", "b": "1", "c": "1", "d": "1", "e": null, "f": "1")");
  empty_blob("t", "a", "1");
  raw_.run("INSERT INTO checkpoint_blobs VALUES ('t', '', 'f', '1', 'empty', '')");
  blob("t", "b", "2", "of another version");
  raw_.run("INSERT INTO checkpoint_blobs VALUES ('t', '', 'c', '1', 'msgpack', NULL)");
  blob("t", "d", "1", "");
  EXPECT_EQ(values_of(load("t")), Strings{"d@1=msgpack:"});
  EXPECT_EQ(values_of(list(of_thread("t")).items.at(0)), Strings{"d@1=msgpack:"});
}

TEST_P(Reads, know_versions_that_are_numbers) {
  checkpoint("t", "", "1", "", R"("a": 1, "b": 2.5, "c": "1")");
  blob("t", "a", "1", "one");
  blob("t", "b", "2.5", "two and a half");
  blob("t", "c", "1", "text");
  EXPECT_EQ(values_of(load("t")),
            (Strings{"a@1=msgpack:one", "b@2.5=msgpack:two and a half", "c@1=msgpack:text"}));
}

TEST_P(Reads, take_documents_without_versions) {
  for (const auto* json : {"{}", R"({"channel_versions": null})", R"({"channel_versions": ["a"]})",
                           R"({"channel_versions": "a", "channel_values": 1})", "[]", "1"}) {
    SCOPED_TRACE(json);
    raw_.run("DELETE FROM checkpoints");
    document("t", "", "1", "", json);
    checkpoint("t", "", "2", "1");
    EXPECT_TRUE(json_equal(load("t", "1").document, json));
    EXPECT_EQ(list(of_thread("t")).items.size(), 2U);
    EXPECT_EQ(history({"t", "", {}, {"a"}}), (std::vector<ChannelHistory>{{"a", {}, {}, {}}}));
  }
}

TEST_P(Reads, order_pending_writes_by_bytes) {
  checkpoint("t", "", "1");
  pending("t", "1", "b", 0, "c", "4", "~2");
  pending("t", "1", "a", 1, "c", "3", "~1");
  pending("t", "1", "a", -1, "c", "2", "~1");
  pending("t", "1", "Z", 7, "c", "1", "~1");
  pending("t", "1", "x", 0, "c", "0");
  pending("t", "2", "x", 0, "c", "of another");
  raw_.run("UPDATE checkpoint_writes SET type = NULL WHERE task_id = 'x'");
  const Strings expected{"/x/0 c=:0", "~1/Z/7 c=msgpack:1", "~1/a/-1 c=msgpack:2",
                         "~1/a/1 c=msgpack:3", "~2/b/0 c=msgpack:4"};
  EXPECT_EQ(writes_of(load("t").writes), expected);
  EXPECT_EQ(writes_of(list(of_thread("t")).items.at(0).writes), expected);
}

TEST_P(Reads, bring_only_what_is_asked_for) {
  checkpoint("t", "", "1", "", R"("a": "1")");
  blob("t", "a", "1", "x");
  pending("t", "1", "task", 0, "a", "y");
  for (const bool values : {false, true}) {
    for (const bool writes : {false, true}) {
      for (const auto& id : {std::optional<std::string>(), std::optional<std::string>("1")}) {
        const auto found = get({"t", "", id, {values, writes}});
        ASSERT_TRUE(found);
        EXPECT_EQ(found->values.size(), values ? 1U : 0U);
        EXPECT_EQ(found->writes.size(), writes ? 1U : 0U);
      }
      auto query = of_thread("t");
      query.include = {values, writes};
      EXPECT_EQ(list(query).items.at(0).values.size(), values ? 1U : 0U);
      EXPECT_EQ(list(query).items.at(0).writes.size(), writes ? 1U : 0U);
    }
  }
}

TEST_P(Reads, share_one_buffer_between_the_checkpoints_of_a_page) {
  for (int i = 10; i < 30; ++i) {
    const auto id = std::to_string(i);
    checkpoint("t", "", id, "", R"("shared": "1", "own": ")" + id + "\"");
    blob("t", "own", id, id);
  }
  blob("t", "shared", "1", std::string(100'000, 'x'));
  checkpoint("other", "", "15", "", R"("shared": "1")");
  blob("other", "shared", "1", "of another thread");
  std::set<const char*> buffers;
  const auto page = list(of_thread("t"));
  ASSERT_EQ(page.items.size(), 20U);
  for (const auto& item : page.items) {
    ASSERT_EQ(item.values.size(), 2U);
    EXPECT_EQ(item.values[0].data.view(), item.checkpoint_id);
    EXPECT_EQ(item.values[1].data.size(), 100'000U);
    buffers.insert(item.values[1].data.data());
  }
  EXPECT_EQ(buffers.size(), 1U);
}

TEST_P(Reads, cut_a_page_by_its_bytes) {
  for (int i = 10; i < 30; ++i) {
    const auto id = std::to_string(i);
    checkpoint("t", "", id, "", R"("shared": "1")");
    pending("t", id, "task", 0, "c", std::string(1'000, 'w'));
  }
  blob("t", "shared", "1", std::string(9'000, 'x'));
  auto query = of_thread("t");
  query.max_bytes = 50'000;
  auto page = list(query);
  EXPECT_EQ(page.items.size(), 5U) << "a shared value counts for each";
  for (const auto& item : page.items) EXPECT_EQ(item.values.size(), 1U);
  EXPECT_NE(page.next, "");
  query.include.values = false;
  EXPECT_EQ(list(query).items.size(), 20U) << "what is not asked for does not count";
  query.include.values = true;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}}) {
    query.max_bytes = bytes;
    EXPECT_EQ(list(query).items.size(), 1U);
  }
  query.max_bytes = static_cast<std::size_t>(-1);
  EXPECT_EQ(list(query).items.size(), 20U);
}

TEST_P(Reads, end_a_page_at_a_thousand_checkpoints) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
      "SELECT 't', lpad(n::text, 5, '0'), '{}' FROM generate_series(1, 1005) AS n");
  auto query = of_thread("t");
  query.limit = static_cast<std::size_t>(-1);
  const auto first = list(query);
  ASSERT_EQ(first.items.size(), 1'000U);
  EXPECT_EQ(first.items.front().checkpoint_id, "01005");
  query.cursor = first.next;
  const auto rest = list(query);
  EXPECT_EQ(rest.items.size(), 5U);
  EXPECT_EQ(rest.next, "");
}

TEST_P(Reads, filter_by_any_number_of_conditions) {
  std::string metadata = "{";
  for (int i = 0; i < 20; ++i) {
    metadata += (i ? ", \"" : "\"") + std::to_string(i) + "\": " + std::to_string(i);
  }
  checkpoint("t", "", "1", "", "", "", metadata + "}");
  checkpoint("t", "", "2", "", "", "", "[]");
  auto query = of_thread("t");
  for (int i = 0; i < 20; ++i) {
    query.filter.push_back({std::to_string(i), std::to_string(i) + ".0"});
    ASSERT_EQ(list(query).items.size(), 1U) << i;
  }
  query.filter.back().value = "false";
  EXPECT_EQ(list(query).items.size(), 0U);
}

// Every combination of what a listing may be narrowed by, in pages of two.
class Lists : public Reads {
 protected:
  struct Row {
    std::string thread_id;
    std::string checkpoint_ns;
    std::string checkpoint_id;
    friend auto operator<=>(const Row&, const Row&) = default;
  };

  void fill() {
    for (const auto* thread_id : {"a", "B", "é"}) {
      for (const auto* ns : {"", "x", "Y"}) {
        for (const auto* id : {"1", "a", "B", "c"}) {
          checkpoint(thread_id, ns, id, "", "", "", R"({"k": 1})");
          rows_.push_back({thread_id, ns, id});
        }
      }
    }
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      if (a.checkpoint_id != b.checkpoint_id) return a.checkpoint_id > b.checkpoint_id;
      return a < b;
    });
  }

  std::vector<Row> expected(const CheckpointList& query) const {
    std::vector<Row> rows;
    const auto fits = [](const auto& only, const auto& value) { return !only || *only == value; };
    for (const Row& row : rows_) {
      if (fits(query.thread_id, row.thread_id) && fits(query.checkpoint_ns, row.checkpoint_ns) &&
          fits(query.checkpoint_id, row.checkpoint_id) &&
          (!query.before || row.checkpoint_id < *query.before)) {
        rows.push_back(row);
      }
    }
    return rows;
  }

  std::vector<Row> walk(CheckpointList query) {
    std::vector<Row> rows;
    do {
      const auto page = list(query);
      EXPECT_LE(page.items.size(), query.limit);
      for (const auto& item : page.items) {
        rows.push_back({item.thread_id, item.checkpoint_ns, item.checkpoint_id});
      }
      query.cursor = page.next;
    } while (!query.cursor.empty());
    return rows;
  }

  std::vector<Row> rows_;
};

INSTANTIATE_TEST_SUITE_P(, Lists, ::testing::Values(Place::fresh, Place::adopted, Place::set_up),
                         place_name);

TEST_P(Lists, of_any_combination_walk_the_rows_in_order) {
  fill();
  for (unsigned parts = 0; parts < 32; ++parts) {
    CheckpointList query;
    if (parts & 1U) query.thread_id = "B";
    if (parts & 2U) query.checkpoint_ns = "x";
    if (parts & 4U) query.checkpoint_id = "a";
    if (parts & 8U) query.before = "b";
    if (parts & 16U) query.filter = {{"k", "1.0"}};
    query.limit = 2;
    EXPECT_EQ(walk(query), expected(query)) << parts;
  }
}

// Of large documents those beyond the page are not even read.
TEST_P(Reads, of_a_page_cost_what_the_page_weighs) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
      "SELECT 't', lpad(n::text, 4, '0'), jsonb_build_object('channel_versions', '{}'::jsonb, "
      "  'x', (SELECT string_agg(md5(n || ' ' || i), '') FROM generate_series(1, 2000) AS i)) "
      "FROM generate_series(1, 100) AS n");
  connection_.execute("BEGIN", Call());
  auto query = of_thread("t");
  query.limit = 100;
  query.max_bytes = 150'000;
  const auto page = list(query);
  EXPECT_LE(page.items.size(), 3U);
  EXPECT_NE(page.next, "");
  const postgres::Statement fetched(
      "SELECT pg_stat_get_xact_blocks_fetched(reltoastrelid) FROM pg_class "
      "WHERE oid = '\"" +
      schema_ + "\".checkpoints'::regclass");
  const auto blocks = connection_.run(fetched, {}, postgres::Effect::none, Call()).integer(0, 0);
  EXPECT_GT(blocks, 0);
  EXPECT_LT(blocks, 100 * 8) << "each document takes eight at least";
  connection_.execute("ROLLBACK", Call());
}

}  // namespace
}  // namespace threadkeep::postgres_test
