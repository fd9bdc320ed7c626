// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/session_support.hpp"

#include <gtest/gtest.h>

#include "json_value.hpp"
#include "recording_backend.hpp"
#include "threadkeep/session_store.hpp"

namespace threadkeep {
namespace {

Written popped() {
  Written written{.changed = 2, .kept = 1};
  written.versions = {0, 7};
  written.revision = 9;
  written.messages = {{"s\"", 4, "a\n", "user", R"({"b": 1.0, "a": [null]})", "{}", 5, 2},
                      {"", 5, "\u00e9", "", "", "", -1, 1}};
  return written;
}

TEST(WhatAnOperationDid, is_read_back_as_it_was) {
  for (const auto& written : {popped(), Written{}}) {
    EXPECT_EQ(decode_written(encode_written(written)), written);
  }
}

TEST(WhatAnOperationDid, is_corrupt_when_it_is_not_whole) {
  const auto whole = encode_written(popped());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      decode_written(whole.substr(0, size));
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt);
    }
  }
}

AppendMessages append_of(NewMessage message) {
  AppendMessages append;
  append.thread_id = "t";
  append.messages = {std::move(message)};
  return append;
}

TEST(FingerprintOf, an_append_is_that_of_its_values) {
  const auto print = fingerprint(append_of({"a", "user", R"({"x": 1, "y": [2.0]})", "{}"}));
  EXPECT_EQ(fingerprint(append_of({"b", "user", R"({"y":[2],"x":1.0})", "{ }"})), print);
  EXPECT_NE(fingerprint(append_of({"a", "tool", R"({"x": 1, "y": [2]})", "{}"})), print);
  EXPECT_NE(fingerprint(append_of({"a", "user", R"({"x": 1, "y": ["2"]})", "{}"})), print);
  EXPECT_NE(fingerprint(append_of({"a", "user", R"({"x": 1, "y": 2})", "{}"})), print);
  EXPECT_NE(fingerprint(append_of({"a", "user", R"({"x": 1, "y": [2]})", R"({"m":1})"})), print);
  auto revised = append_of({"a", "user", R"({"x": 1, "y": [2]})", "{}"});
  revised.expected_revision = 3;
  EXPECT_EQ(fingerprint(revised), print) << "a repetition may demand another revision";
}

TEST(FingerprintOf, a_pop_is_that_of_its_stream_and_count) {
  const auto print = fingerprint(PopMessages{"t", "s", 1, "op"});
  EXPECT_EQ(fingerprint(PopMessages{"t", "s", 1, "other"}), print);
  EXPECT_NE(fingerprint(PopMessages{"t", "s", 2, "op"}), print);
  EXPECT_NE(fingerprint(PopMessages{"t", "", 1, "op"}), print);
}

TEST(Values, are_ordered_exactly) {
  const std::vector<std::string> ascending{"-1e300",
                                           "-9223372036854775808",
                                           "-2",
                                           "-1.5",
                                           "-1",
                                           "0",
                                           "0.5",
                                           "1",
                                           "9007199254740992",
                                           "9007199254740993",
                                           "9007199254740994",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "18446744073709551615",
                                           "18446744073709551616",
                                           "1e300"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const auto order = compare_values(parse_stored(ascending[i]), parse_stored(ascending[j]));
      EXPECT_TRUE(order == (i <=> j)) << ascending[i] << " and " << ascending[j];
    }
  }
}

TEST(Values, of_two_types_have_no_order) {
  for (const auto* a : {"1", "\"1\"", "true", "null", "[1]", "{}"}) {
    for (const auto* b : {"true", "null", "[1]", "{}"}) {
      EXPECT_TRUE(compare_values(parse_stored(a), parse_stored(b)) ==
                  std::partial_ordering::unordered);
    }
  }
  EXPECT_TRUE(compare_values("1", 1) == std::partial_ordering::unordered);
  EXPECT_TRUE(compare_values("\u00e9", "z") > 0) << "bytewise";
}

TEST(AStoreWithoutSessions, refuses_messages_and_state) {
  const auto recorder = std::make_shared<testing::Recorder>();
  const auto store = std::make_shared<Store>(std::make_unique<testing::RecordingBackend>(recorder));
  SessionStore sessions(store);
  const auto refused = [](auto call) {
    try {
      call();
      ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unsupported);
      EXPECT_NE(error.message().find("recording stores do not keep messages"), std::string::npos);
    }
  };
  const auto scope = StateScope::of_thread("t");
  refused([&] { sessions.append(append_of({"a", "user", "1", "{}"})); });
  refused([&] { sessions.pop({"t", "", 1, ""}); });
  refused([&] { sessions.clear({"t", {}}); });
  refused([&] { sessions.put_state(scope, "k", "1"); });
  refused([&] { sessions.tail({"t", "", 1, {}}); });
  refused([&] { sessions.message({"t", "a"}); });
  refused([&] { sessions.state({scope, "k"}); });
  refused([&] { sessions.store()->streams({"t"}, {}); });
  EXPECT_TRUE(recorder->batches().empty());
}

TEST(AStore, names_pops_and_messages_that_have_no_name) {
  class WithSessions final : public Backend {
   public:
    explicit WithSessions(std::vector<Mutation>& seen) : seen_(seen) {}
    std::vector<Outcome> apply(std::span<const Mutation> batch, const Call&) override {
      seen_.insert(seen_.end(), batch.begin(), batch.end());
      return std::vector<Outcome>(batch.size());
    }
    std::optional<CheckpointTuple> get(const CheckpointQuery&, const Call&) override { return {}; }
    Page<CheckpointTuple> list(const CheckpointList&, const Call&) override { return {}; }
    std::vector<ChannelHistory> history(const HistoryQuery&, const Call&) override { return {}; }
    Page<ThreadInfo> threads(const ThreadList&, const Call&) override { return {}; }
    std::optional<ThreadInfo> thread(const ThreadQuery&, const Call&) override { return {}; }
    std::vector<PutWrites> loose_writes(const LooseWritesQuery&, const Call&) override {
      return {};
    }
    Capabilities capabilities() const override {
      return {.name = "x", .max_value_bytes = 100, .sessions = true};
    }
    Health ping(const Call&) override { return {}; }
    void setup(const Call&) override {}

   private:
    std::vector<Mutation>& seen_;
  };
  std::vector<Mutation> seen;
  SessionStore sessions(std::make_shared<Store>(std::make_unique<WithSessions>(seen)));
  sessions.append(append_of({"", "user", "1", "{}"}));
  sessions.pop({"t", "", 1, ""});
  sessions.pop({"t", "", 1, ""});
  sessions.pop({"t", "", 1, "mine"});
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(std::get<AppendMessages>(seen[0]).messages[0].id.size(), 36U);
  EXPECT_NE(std::get<PopMessages>(seen[1]).operation_id, "");
  EXPECT_NE(std::get<PopMessages>(seen[1]).operation_id,
            std::get<PopMessages>(seen[2]).operation_id);
  EXPECT_EQ(std::get<PopMessages>(seen[3]).operation_id, "mine");
}

}  // namespace
}  // namespace threadkeep
