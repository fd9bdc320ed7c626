// SPDX-License-Identifier: Apache-2.0
// Messages and state under several processes.
#include <gtest/gtest.h>

#include <set>

#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

std::vector<Message> all_messages(SessionStore& store, const std::string& thread) {
  std::vector<Message> found;
  MessageList list = messages_of(thread, 300);
  do {
    const auto page = store.messages(list);
    found.insert(found.end(), page.items.begin(), page.items.end());
    list.cursor = page.next;
  } while (!list.cursor.empty());
  return found;
}

TEST(SessionProcesses, that_pop_never_get_one_message_twice) {
  constexpr int count = 400;
  const auto url = fresh_url();
  auto store = open_sessions(url);
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back(padded(i));
  store.append(messages_for("t", ids));
  run_processes(2, [&](int process) {
    auto own = open_sessions(url);
    for (;;) {
      const auto popped = own.pop({"t", "", static_cast<std::size_t>(process) + 1, ""}).messages;
      if (popped.empty()) return;
      std::vector<std::string> taken;
      for (const auto& message : popped) taken.push_back(message.id);
      own.append(messages_for("of " + std::to_string(process), taken));
    }
  });
  std::multiset<std::string> taken;
  for (const auto* thread : {"of 0", "of 1"}) {
    for (const auto& message : all_messages(store, thread)) taken.insert(message.id);
  }
  EXPECT_EQ(std::vector<std::string>(taken.begin(), taken.end()), ids);
}

TEST(SessionProcesses, that_append_leave_no_gap_and_no_seq_twice) {
  constexpr int writers = 16;
  constexpr int each = 30;
  const auto url = fresh_url();
  run_processes(writers, [&](int process) {
    auto store = open_sessions(url);
    for (int i = 0; i < each; ++i) {
      const auto id = std::to_string(process) + "-" + padded(i);
      const auto append = messages_for("t", {id, id + "b"});
      const auto written = store.append(append);
      const auto again = store.append(append);
      if (written.messages != again.messages) throw std::runtime_error("other places");
    }
  });
  auto store = open_sessions(url);
  std::int64_t seq = 0;
  std::set<std::string> ids;
  for (const auto& message : all_messages(store, "t")) {
    EXPECT_EQ(message.seq, ++seq);
    ids.insert(message.id);
    if (message.id.ends_with('b')) {
      EXPECT_TRUE(ids.contains(message.id.substr(0, message.id.size() - 1)));
    }
  }
  EXPECT_EQ(seq, 2 * writers * each);
  EXPECT_EQ(ids.size(), std::size_t{2 * writers * each});
  EXPECT_EQ(store.thread({"t"})->revision, writers * each);
}

void count_one(SessionStore& store, const StateScope& scope) {
  for (;;) {
    const auto stored = store.state({scope, "counter"});
    const auto next = std::to_string((stored ? std::stoi(stored->value) : 0) + 1);
    try {
      store.put_state(scope, "counter", next, stored ? stored->version : 0);
      return;
    } catch (const Error& error) {
      if (error.code() != Code::conflict) throw;
    }
  }
}

TEST(SessionProcesses, that_count_by_version_lose_nothing) {
  constexpr int counters = 4;
  constexpr int each = 25;
  const auto url = fresh_url();
  const std::vector<StateScope> scopes{StateScope::of_thread("t"), StateScope::named("n")};
  run_processes(counters, [&](int) {
    auto store = open_sessions(url);
    for (int i = 0; i < each; ++i) {
      for (const auto& scope : scopes) count_one(store, scope);
    }
  });
  auto store = open_sessions(url);
  for (const auto& scope : scopes) {
    EXPECT_EQ(store.state({scope, "counter"})->value, std::to_string(counters * each));
    EXPECT_EQ(store.state({scope, "counter"})->version, counters * each);
  }
}

TEST(SessionProcesses, that_merge_one_document_keep_the_members_of_all) {
  constexpr int writers = 8;
  constexpr int each = 10;
  const auto url = fresh_url();
  run_processes(writers, [&](int process) {
    auto store = open_sessions(url);
    for (int i = 0; i < each; ++i) {
      const auto member = "\"" + std::to_string(process) + "-" + std::to_string(i) + "\"";
      store.merge_state(StateScope::of_thread("t"), "k", "{" + member + ": 12345678901234567890}");
    }
  });
  const auto merged = open_sessions(url).state({StateScope::of_thread("t"), "k"});
  EXPECT_EQ(merged->version, writers * each);
  std::size_t members = 0;
  for (auto at = merged->value.find(":12345678901234567890"); at != std::string::npos;
       at = merged->value.find(":12345678901234567890", at + 1)) {
    ++members;
  }
  EXPECT_EQ(members, std::size_t{writers * each}) << merged->value;
}

}  // namespace
}  // namespace threadkeep::redis_test
