// SPDX-License-Identifier: Apache-2.0
// Messages and state in archives.
#include <gtest/gtest.h>

#include "archive/export_threads.hpp"
#include "backends_under_test.hpp"
#include "sample.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_MEMORY
namespace threadkeep::ops {
namespace {

using testing::BackendSpec;
using Strings = std::vector<std::string>;

void append(Store& store, const std::string& stream, const Strings& ids) {
  AppendMessages append;
  append.thread_id = "t";
  append.stream = stream;
  for (const auto& id : ids) {
    append.messages.push_back(
        {id, "user", "{\"text\": \"of " + id + "\", \"n\": 1.0e0}", "{\"lang\": [\"\\u00e9\"]}"});
  }
  store.write(append, {});
}

void put_state(Store& store, const std::string& key, const std::string& value) {
  store.write(ChangeState{StateScope::of_thread("t"), {{key, StateChange::Kind::put, value, {}}}},
              {});
}

void put_session(Store& store) {
  store.write(PutThread{"t", R"({"user": "ada"})"}, {});
  store.write(testing::Draft("t", "1").value("a", "1", "x"), {});
  append(store, "", {"b", "a", "c"});
  append(store, "side\n", {"x"});
  put_state(store, "big", "123456789012345678");
  put_state(store, "nothing", "null");
}

class SessionArchive : public ::testing::TestWithParam<std::tuple<BackendSpec, BackendSpec>> {
 protected:
  // "t" is refused for this reason and stays as it is.
  void expect_conflict(const std::string& reason) {
    const auto before = contents(*to, "t");
    const auto imported = import(*to, archive_of(*from, {"t"}));
    ASSERT_EQ(imported.problems.size(), 1U);
    EXPECT_EQ(imported.problems[0].message, reason);
    EXPECT_EQ(contents(*to, "t"), before);
    EXPECT_EQ(imported.report.stored, Counts{});
  }

  const std::shared_ptr<Store> from = std::get<0>(GetParam()).make(Environment::system());
  const std::shared_ptr<Store> to = std::get<1>(GetParam()).make(Environment::system());
};

TEST_P(SessionArchive, restores_messages_and_state) {
  put_session(*from);
  const auto archive = archive_of(*from, {"t"});
  EXPECT_EQ(import(*to, archive).report.stored, (Counts{1, 1, 0, 4, 2}));
  EXPECT_EQ(contents(*to, "t"), contents(*from, "t"));
  EXPECT_EQ(contents(*to, "t").size(), 7U);
  const auto again = import(*to, archive);
  EXPECT_EQ(again.report.unchanged, 1U);
  EXPECT_EQ(again.report.stored, Counts{});
  EXPECT_EQ(to->message({"t", "c"}, {})->seq, 3);
}

TEST_P(SessionArchive, keeps_the_order_where_seqs_have_gaps) {
  put_session(*from);
  from->write(RemoveMessages{"t", {"a"}}, {});
  append(*from, "", {"d"});
  import(*to, archive_of(*from, {"t"}));
  EXPECT_EQ(contents(*to, "t"), contents(*from, "t"));
  EXPECT_EQ(to->message({"t", "d"}, {})->seq, 3) << "was 4: stores count themselves";
}

TEST_P(SessionArchive, restores_more_messages_than_one_append_takes) {
  for (int i = 0; i < 3; ++i) {
    Strings ids;
    for (int n = 0; n < 900; ++n) ids.push_back(std::to_string(i) + " " + std::to_string(n));
    append(*from, "", ids);
  }
  EXPECT_EQ(import(*to, archive_of(*from, {"t"})).report.stored.messages, 2700U);
  const auto restored = contents(*to, "t");
  const auto original = contents(*from, "t");
  ASSERT_EQ(restored.size(), original.size());
  for (std::size_t i = 0; i < original.size(); ++i) ASSERT_EQ(restored[i], original[i]) << i;
}

TEST_P(SessionArchive, goes_on_where_an_import_was_interrupted) {
  put_session(*from);
  to->write(PutThread{"t", R"({"user": "ada"})"}, {});
  append(*to, "", {"b", "a"});
  put_state(*to, "nothing", "null");
  EXPECT_EQ(import(*to, archive_of(*from, {"t"})).report.stored, (Counts{1, 1, 0, 2, 1}));
  EXPECT_EQ(contents(*to, "t"), contents(*from, "t"));
}

TEST_P(SessionArchive, leaves_a_thread_that_went_on) {
  put_session(*from);
  put_session(*to);
  append(*to, "", {"later"});
  append(*to, "new", {"elsewhere"});
  put_state(*to, "more", "1");
  const auto before = contents(*to, "t");
  EXPECT_EQ(import(*to, archive_of(*from, {"t"})).report.unchanged, 1U);
  EXPECT_EQ(contents(*to, "t"), before);
}

TEST_P(SessionArchive, refuses_another_message_of_the_same_id) {
  put_session(*from);
  put_session(*to);
  to->write(UpdateMessage{"t", "a", "\"other\"", {}, {}}, {});
  expect_conflict("message 'a' differs");
}

TEST_P(SessionArchive, refuses_messages_that_would_come_out_of_order) {
  put_session(*from);
  put_session(*to);
  to->write(RemoveMessages{"t", {"a"}}, {});
  expect_conflict(
      "the store lacks message 'a' of stream '' and has others that would stand before it: these "
      "are two histories");
}

TEST_P(SessionArchive, refuses_other_state) {
  put_session(*from);
  put_session(*to);
  put_state(*to, "big", "1");
  expect_conflict("state 'big' differs");
}

INSTANTIATE_TEST_SUITE_P(, SessionArchive,
                         ::testing::Combine(::testing::ValuesIn(testing::built_backends()),
                                            ::testing::ValuesIn(testing::built_backends())),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_to_" +
                                  std::get<1>(test.param).name;
                         });

class NoSessions : public ::testing::TestWithParam<BackendSpec> {};

TEST_P(NoSessions, takes_all_threads_without_messages_and_state) {
  const auto to = GetParam().make(Environment::system());
  if (to->capabilities().sessions) return;  // Those above.
  const auto from = new_memory();
  put_session(*from);
  from->write(testing::Draft("u", "1").value("a", "1", "x"), {});
  const auto imported = import(*to, archive_of(*from, {"t", "u"}));
  ASSERT_EQ(imported.problems.size(), 1U);
  EXPECT_EQ(imported.problems[0].thread_id, "t");
  EXPECT_EQ(imported.problems[0].code, Code::unsupported);
  EXPECT_EQ(imported.problems[0].message,
            "it has messages or state, which " + to->capabilities().name +
                " stores do not keep; import it into one that does, such as sqlite:PATH");
  EXPECT_EQ(contents(*to, "t"), Strings{});
  EXPECT_EQ(contents(*to, "u"), contents(*from, "u"));
}

INSTANTIATE_TEST_SUITE_P(, NoSessions, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace threadkeep::ops
#endif
