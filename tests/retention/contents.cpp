// SPDX-License-Identifier: Apache-2.0
#include "contents.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::retention_test {

namespace {

bool is_delta(const CheckpointTuple& tuple) {
  return !delta_channels(tuple.metadata).empty() &&
         std::ranges::none_of(tuple.values, [](const Blob& b) { return b.channel == "d"; });
}

std::string raw_versions(const std::string& document) {
  std::string text = "{";
  for (const auto& [channel, version] : read_document(document).versions) {
    text += (text == "{" ? "\"" : ",\"") + channel + "\":\"" + version + '"';
  }
  return text + '}';
}

}  // namespace

Key key_of(const CheckpointTuple& tuple) {
  return {tuple.thread_id, tuple.checkpoint_ns, tuple.checkpoint_id};
}

bool operator==(const Loaded& a, const Loaded& b) {
  return a.tuple.parent_checkpoint_id == b.tuple.parent_checkpoint_id &&
         a.tuple.document == b.tuple.document && a.tuple.metadata == b.tuple.metadata &&
         a.tuple.values == b.tuple.values && a.tuple.writes == b.tuple.writes &&
         a.history == b.history;
}

Content load(Store& store) {
  Content content;
  CheckpointList query;
  query.limit = 100;
  do {
    auto page = store.list(query, Call());
    query.cursor = page.next;
    for (CheckpointTuple& tuple : page.items) {
      const Key key = key_of(tuple);
      content[key].tuple = std::move(tuple);
    }
  } while (!query.cursor.empty());
  for (auto& [key, loaded] : content) {
    if (!is_delta(loaded.tuple)) continue;
    loaded.history =
        store.history({std::get<0>(key), std::get<1>(key), std::get<2>(key), {"d"}}, Call());
  }
  return content;
}

Content survivors(const std::vector<RandomThread>& threads, const Content& before,
                  std::int64_t now) {
  const auto policies = retention::policies_from_json(random_policies);
  Content after = before;
  for (const RandomThread& thread : threads) {
    const std::string& id = thread.facts.thread_id;
    const retention::Decision decision = decide(policies, thread.facts, now);
    if (decision.thread) {
      std::erase_if(after, [&](const auto& item) { return std::get<0>(item.first) == id; });
    }
    for (const retention::Removal& removal : decision.removals) {
      after.erase({id, removal.checkpoint_ns, removal.checkpoint_id});
    }
  }
  return after;
}

void expect_equal(const Content& found, const Content& expected) {
  for (const auto& [key, loaded] : found) {
    const auto wanted = expected.find(key);
    const auto& [thread, ns, id] = key;
    ASSERT_NE(wanted, expected.end()) << thread << ' ' << ns << ' ' << id << " is new";
    EXPECT_EQ(loaded, wanted->second) << thread << ' ' << ns << ' ' << id << " has changed";
  }
}

CheckpointTuple child_of(const CheckpointTuple& parent, const std::string& source,
                         std::int64_t now) {
  CheckpointTuple child = parent;
  child.checkpoint_id = "z" + std::to_string(now) + source;
  child.parent_checkpoint_id = parent.checkpoint_id;
  child.metadata = R"({"source":")" + source + R"("})";
  child.document = R"({"v":4,"ts":")" + iso_time(now) + R"(","channel_versions":)" +
                   raw_versions(parent.document) + '}';
  child.writes.clear();
  return child;
}

PutCheckpoint put_of(const CheckpointTuple& tuple) {
  return {.thread_id = tuple.thread_id,
          .checkpoint_ns = tuple.checkpoint_ns,
          .checkpoint_id = tuple.checkpoint_id,
          .parent_checkpoint_id = tuple.parent_checkpoint_id,
          .document = tuple.document,
          .metadata = tuple.metadata,
          .blobs = {}};
}

}  // namespace threadkeep::retention_test
