// SPDX-License-Identifier: Apache-2.0
#include "store_samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "migration/tier/carried_notes.hpp"
#include "migration/tier/store_contents.hpp"
#include "ops/sample.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::migration_test {

namespace {

using testing::Draft;

Environment at(std::int64_t now) {
  Environment environment = Environment::system();
  environment.now = [now] { return now; };
  return environment;
}

void put_state(Store& store, const StateScope& scope, const std::string& key,
               const std::string& value) {
  ChangeState change{scope, {}};
  change.changes.push_back({key, StateChange::Kind::put, value, {}});
  store.write(std::move(change), patient());
}

void add_sessions(Store& store) {
  for (const char* thread : {"a", "talk only"}) {
    for (const char* stream : {"", "tools"}) {
      AppendMessages append;
      append.thread_id = thread;
      append.stream = stream;
      for (int i = 1; i <= 5; ++i) {
        const std::string id = std::string(stream) + "m" + std::to_string(i);
        append.messages.push_back({id, "user", "{\"text\": \"hi " + id + "\"}", "{\"n\": 1.0}"});
      }
      store.write(std::move(append), patient());
    }
    store.write(RemoveMessages{thread, {"m1", "m3", "toolsm2"}}, patient());
    put_state(store, StateScope::of_thread(thread), "color", "\"red\"");
    put_state(store, StateScope::of_thread(thread), "seen", "[1, 2.50]");
  }
  for (const char* scope : {"user:7", "{1}*?[a]\\", "\u043b"}) {
    put_state(store, StateScope::named(scope), "name", "{\"first\": \"Ada\"}");
    put_state(store, StateScope::named(scope), "last seen", "1e2");
  }
}

void put_line(Store& store, const std::string& thread) {
  for (int i = 1; i <= 3; ++i) {
    Draft draft(thread, std::to_string(i));
    if (i > 1) draft.parent(std::to_string(i - 1));
    store.write(draft.value("a", std::to_string(i), "x"), patient());
  }
}

void add_deletions(Store& store) {
  for (const char* thread : {"gone", "pruned", "begun anew"}) put_line(store, thread);
  store.write(DeleteThread{"gone"}, patient());
  store.write(DeleteThread{"begun anew"}, patient());
  store.write(Prune{"pruned"}, patient());
  store.write(Draft("begun anew", "4").value("a", "4", "y"), patient());
}

void add_orders(Store& store) {
  const auto retention = retention::open_retention(store);
  retention->install(patient());
  retention->pin("pruned", patient());
  retention->hold("a", "case 1", patient());
  retention->hold("a", "\u00e9, \"2\"\n", patient());
  retention->hold("never was", "case 3", patient());
  // In the past of all clocks of servers nothing would be left of it; so it is far away.
  retention->expire("begun anew", 4'000'000'000'123'456, patient());
  retention->apply(retention::policies_from_json(
                       R"([{"name": "old", "threads": "x*", "idle": "10d", "keep_last": 2}])"),
                   patient());
}

std::string text(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "none";
}

std::string text(const ThreadNotes& notes) {
  std::string words = notes.thread_id + " | tombstone " + notes.tombstone.value_or("none") +
                      (notes.pinned ? " pinned" : "") + " expires " + text(notes.expires_at);
  for (const std::string& hold : notes.holds) words += " hold " + hold;
  return words;
}

}  // namespace

Environment source_environment() {
  return at(source_time);
}

Environment target_environment() {
  return at(target_time);
}

Call patient() {
  return {.deadline = Deadline::after(std::chrono::minutes(10)), .stop = {}};
}

void fill_all(Store& store, std::uint64_t seed, std::size_t threads) {
  ops::fill(store, seed, threads);
  add_sessions(store);
  add_deletions(store);
  add_orders(store);
}

std::vector<std::string> everything(Store& store) {
  std::vector<std::string> parts = ops::contents(store);
  const migration::StoreContents contents(store, migration::StoreContents::Side::target);
  contents.each_page(
      [&](const auto& threads) {
        for (const ThreadNotes& notes : contents.notes(threads, patient())) {
          parts.push_back(text(notes));
        }
        for (const auto& thread : threads) {
          if (!thread.info) continue;
          parts.push_back(thread.thread_id + " | created " +
                          std::to_string(thread.info->created_at) + " updated " +
                          std::to_string(thread.info->updated_at));
        }
      },
      patient());
  contents.each_scope(
      [&](const std::string& scope) {
        const StateList all{StateScope::named(scope), 1000, 1 << 20, {}};
        for (const auto& document : store.states(all, patient()).items) {
          parts.push_back(scope + " | " + document.key + " " + document.value);
        }
      },
      patient());
  parts.push_back("policies " + migration::read_policies(store, patient()).json);
  std::sort(parts.begin(), parts.end());
  return parts;
}

migration::StoreReport copy(Store& source, Store& target,
                            const migration::StoreCopyOptions& options) {
  return migration::copy_store(source, target, options, patient());
}

migration::StoreReport verify(Store& source, Store& target) {
  return migration::verify_store(source, target, {}, patient());
}

std::vector<std::string> texts(const migration::StoreReport& report) {
  std::vector<std::string> all;
  for (const auto& problem : report.problems) {
    all.push_back(std::string(name_of(problem.kind)) + ' ' + problem.thread_id + problem.scope +
                  ": " + problem.text);
  }
  return all;
}

void expect_problems(const migration::StoreReport& report, std::vector<std::string> beginnings) {
  auto found = texts(report);
  std::sort(found.begin(), found.end());
  std::sort(beginnings.begin(), beginnings.end());
  for (std::size_t i = 0; i < std::max(found.size(), beginnings.size()); ++i) {
    const std::string is = i < found.size() ? found[i] : "(none)";
    const std::string wanted = i < beginnings.size() ? beginnings[i] : "(none)";
    EXPECT_TRUE(is.starts_with(wanted)) << "found " << is << ", wanted " << wanted;
  }
  EXPECT_EQ(report.problem_count, found.size());
}

}  // namespace threadkeep::migration_test
