// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_ids_cases() {}

namespace {

using Strings = std::vector<std::string>;
using namespace std::string_literals;

const Strings& awkward_ids() {
  static const Strings ids{"a:b",
                           "{tag}",
                           "*",
                           "a|b",
                           " ",
                           "a b ",
                           "%",
                           "_",
                           "?[a-z]",
                           "'",
                           "\"",
                           "\\",
                           "a/b/../c",
                           "\n\t\r",
                           "\x01\x7f",
                           "NULL",
                           "0",
                           "-1",
                           "é",
                           "e\u0301",
                           "\u2028",
                           "\uFEFF",
                           "\uFFFF",
                           "ﬁ",
                           "\U0010FFFF",
                           "'; DROP TABLE checkpoints; --",
                           "$1",
                           "${x}",
                           "a\u200Db",
                           "A",
                           "a",
                           std::string(512, 'x'),
                           std::string(511, 'x')};
  return ids;
}

TEST_P(Ids, of_threads_are_any_text) {
  for (const auto& id : awkward_ids()) put(Draft(id, "1").value("a", "1", "of " + id));
  for (const auto& id : awkward_ids()) {
    SCOPED_TRACE(id);
    EXPECT_EQ(load(id).thread_id, id);
    EXPECT_EQ(value_of(load(id), "a"), "of " + id);
    EXPECT_EQ(ids_of(id), Strings{"1"});
  }
  EXPECT_EQ(thread_ids().size(), awkward_ids().size());
}

TEST_P(Ids, of_namespaces_are_any_text) {
  for (const auto& id : awkward_ids()) put(Draft("t", "1").ns(id).value("a", "1", "of " + id));
  for (const auto& id : awkward_ids()) {
    SCOPED_TRACE(id);
    EXPECT_EQ(load("t", {}, id).checkpoint_ns, id);
    EXPECT_EQ(value_of(load("t", {}, id), "a"), "of " + id);
  }
}

TEST_P(Ids, of_checkpoints_are_any_text_in_bytewise_order) {
  auto sorted = awkward_ids();
  for (const auto& id : sorted) put(Draft("t", id).parent("parent of " + id.substr(0, 400)));
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  EXPECT_EQ(ids_of("t"), sorted);
  for (const auto& id : sorted) {
    EXPECT_EQ(load("t", id).parent_checkpoint_id, "parent of " + id.substr(0, 400));
  }
}

TEST_P(Ids, of_channels_versions_and_tasks_are_any_text) {
  Draft draft("t", "1");
  for (const auto& id : awkward_ids()) draft.value(id, id, "of " + id);
  put(draft);
  std::vector<PendingWrite> writes;
  for (const auto& id : awkward_ids()) writes.push_back({id, 0, id, id, id, Bytes::copy(id)});
  put_writes("t", "1", writes);
  const auto found = load("t");
  for (const auto& id : awkward_ids()) EXPECT_EQ(value_of(found, id), "of " + id) << id;
  std::sort(writes.begin(), writes.end(),
            [](const auto& a, const auto& b) { return a.task_path < b.task_path; });
  EXPECT_EQ(found.writes, writes);
}

TEST_P(Ids, of_runs_and_targets_are_any_text) {
  for (const auto& id : awkward_ids()) {
    SCOPED_TRACE(id);
    put(Draft("t", "1").metadata(R"({"run_id": )" + json_string(id) + "}"));
    EXPECT_EQ(write(CopyThread{"t", "to " + id.substr(0, 500)}).changed, 1U);
    EXPECT_EQ(write(DeleteRuns{{id}}).changed, 2U);
  }
}

// What no id may be, and how the message goes on.
struct Bad {
  std::string id;
  std::string_view mention;
};

const std::vector<Bad>& bad_ids() {
  static const std::vector<Bad> ids{
      {std::string(513, 'x'), "512"}, {"a\0b"s, "U+0000"}, {"\xff", "UTF-8"}, {"\xc3", "UTF-8"},
      {"\xed\xa0\x80", "UTF-8"},       // A surrogate.
      {"\xc0\x80", "UTF-8"},           // An overlong NUL.
      {"\xf4\x90\x80\x80", "UTF-8"}};  // Above U+10FFFF.
  return ids;
}

// Runs `use` with every bad id; each must be refused in words that name the field and the reason.
template <class Use>
void expect_refused(std::string_view field, const std::vector<Bad>& ids, Use use) {
  for (const auto& bad : ids) {
    SCOPED_TRACE(std::string(field) + ": " + std::string(bad.mention));
    expect_error(Code::invalid_argument, field, [&] { use(bad.id); });
    expect_error(Code::invalid_argument, bad.mention, [&] { use(bad.id); });
  }
}

std::vector<Bad> with_empty() {
  auto ids = bad_ids();
  ids.push_back({"", "empty"});
  return ids;
}

TEST_P(Ids, that_cannot_be_are_refused_by_put) {
  expect_refused("thread_id", with_empty(), [&](const auto& id) { put(Draft(id, "1")); });
  expect_refused("checkpoint_ns", bad_ids(), [&](const auto& id) { put(Draft("t", "1").ns(id)); });
  // The draft's document is JSON and could not hold such an id.
  const auto with_id = [&](const std::string& id) {
    PutCheckpoint checkpoint = Draft("t", "1");
    checkpoint.checkpoint_id = id;
    put(checkpoint);
  };
  expect_refused("checkpoint_id", with_empty(), with_id);
  expect_refused("parent_checkpoint_id", with_empty(),
                 [&](const auto& id) { put(Draft("t", "1").parent(id)); });
  const auto with_blob = [&](const std::string& channel, const std::string& version) {
    PutCheckpoint checkpoint = Draft("t", "1");
    checkpoint.blobs.push_back({channel, version, "text", {}});
    put(checkpoint);
  };
  expect_refused("channel", bad_ids(), [&](const auto& id) { with_blob(id, "1"); });
  expect_refused("version", bad_ids(), [&](const auto& id) { with_blob("a", id); });
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Ids, that_cannot_be_are_refused_by_put_writes) {
  const std::vector<PendingWrite> one{pending("task", 0, "a", "x")};
  expect_refused("thread_id", with_empty(), [&](const auto& id) { put_writes(id, "1", one); });
  expect_refused("checkpoint_id", with_empty(), [&](const auto& id) { put_writes("t", id, one); });
  expect_refused("checkpoint_ns", bad_ids(),
                 [&](const auto& id) { put_writes("t", "1", one, id); });
  expect_refused("task_id", bad_ids(),
                 [&](const auto& id) { put_writes("t", "1", {pending(id, 0, "a", "x")}); });
  expect_refused("channel", bad_ids(),
                 [&](const auto& id) { put_writes("t", "1", {pending("task", 0, id, "x")}); });
  put(Draft("t", "1"));
  EXPECT_EQ(load("t").writes, std::vector<PendingWrite>{});
}

TEST_P(Ids, that_cannot_be_are_refused_by_other_writes) {
  const auto all = with_empty();
  expect_refused("thread_id", all, [&](const auto& id) { write(PutThread{id, "{}"}); });
  expect_refused("thread_id", all, [&](const auto& id) { write(DeleteThread{id}); });
  expect_refused("thread_id", all, [&](const auto& id) { write(Prune{id}); });
  expect_refused("source_thread_id", all, [&](const auto& id) { write(CopyThread{id, "t"}); });
  expect_refused("target_thread_id", all, [&](const auto& id) { write(CopyThread{"t", id}); });
  expect_refused("run_id", bad_ids(), [&](const auto& id) { write(DeleteRuns{{"fine", id}}); });
}

TEST_P(Ids, that_cannot_be_are_refused_by_reads) {
  const auto all_bad = with_empty();
  expect_refused("thread_id", all_bad, [&](const auto& id) { get(id); });
  expect_refused("checkpoint_id", all_bad, [&](const auto& id) { get("t", id); });
  expect_refused("checkpoint_ns", bad_ids(), [&](const auto& id) { get("t", {}, id); });
  expect_refused("thread_id", all_bad, [&](const auto& id) { ids_of(id); });
  expect_refused("before", all_bad, [&](const auto& id) {
    auto query = of_thread("t");
    query.before = id;
    ids(query);
  });
  expect_refused("thread_id", all_bad, [&](const auto& id) { history(id, "a"); });
  expect_refused("channel", bad_ids(), [&](const auto& id) { history("t", id); });
}

}  // namespace

}  // namespace threadkeep::testing
