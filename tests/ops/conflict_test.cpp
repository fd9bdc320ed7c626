// SPDX-License-Identifier: Apache-2.0
// Imports into stores that have something of the threads already.
#include <gtest/gtest.h>

#include <algorithm>

#include "archive/export_threads.hpp"
#include "archive/writer.hpp"
#include "backends_under_test.hpp"
#include "sample.hpp"
#include "threadkeep/testing/draft.hpp"

#ifdef THREADKEEP_TEST_MEMORY
namespace threadkeep::ops {
namespace {

using testing::BackendSpec;
using testing::Draft;
using testing::pending;

// Two checkpoints, values, a write each, and one for a checkpoint to come.
void put_thread(Store& store, const std::string& id) {
  store.write(PutThread{id, R"({"user": "ada"})"}, {});
  store.write(Draft(id, "1").value("a", "1", "x").metadata(R"({"step": 1})"), {});
  store.write(Draft(id, "2").parent("1").carries("a", "1").value("b", "1", "y"), {});
  store.write(PutWrites{id, "", "2", {pending("task", 0, "a", "w"), pending("task", -1, "b", "s")}},
              {});
  store.write(PutWrites{id, "", "3", {pending("task", 0, "a", "loose")}}, {});
}

class Conflicts : public ::testing::TestWithParam<BackendSpec> {
 protected:
  Conflicts() {
    put_thread(*from, "t");
    put_thread(*from, "z");
    archive = archive_of(*from, {"t", "z"});
  }

  // "t" is refused for this reason and stays as it is, "z" is imported.
  void expect_conflict(const std::string& reason) {
    const auto before = contents(*to, "t");
    const auto imported = import(*to, archive);
    ASSERT_EQ(imported.problems.size(), 1U);
    EXPECT_EQ(imported.problems[0].thread_id, "t");
    EXPECT_EQ(imported.problems[0].code, Code::conflict);
    EXPECT_EQ(imported.problems[0].message, reason);
    EXPECT_EQ(imported.report.failed, 1U);
    EXPECT_EQ(imported.report.restored, 1U);
    EXPECT_EQ(contents(*to, "t"), before);
    EXPECT_EQ(contents(*to, "z"), contents(*from, "z"));
  }

  const std::shared_ptr<Store> from = new_memory();
  const std::shared_ptr<Store> to = GetParam().make(Environment::system());
  std::string archive;
};

TEST_P(Conflicts, of_a_document) {
  put_thread(*to, "t");
  to->write(Draft("t", "2").parent("1").carries("a", "1"), {});
  expect_conflict("checkpoint '2' differs");
}

TEST_P(Conflicts, of_metadata) {
  put_thread(*to, "t");
  to->write(Draft("t", "1").carries("a", "1").metadata(R"({"step": 2})"), {});
  expect_conflict("checkpoint '1' differs");
}

TEST_P(Conflicts, of_a_parent) {
  put_thread(*to, "t");
  to->write(Draft("t", "2").parent("0").carries("a", "1").carries("b", "1"), {});
  expect_conflict("checkpoint '2' has another parent");
}

TEST_P(Conflicts, of_a_lost_parent) {
  put_thread(*to, "t");
  to->write(Draft("t", "2").carries("a", "1").carries("b", "1"), {});
  expect_conflict("checkpoint '2' has another parent");
}

TEST_P(Conflicts, of_a_value) {
  to->write(PutThread{"t", R"({"user": "ada"})"}, {});
  to->write(Draft("t", "1").value("a", "1", "other").metadata(R"({"step": 1})"), {});
  expect_conflict("the value of channel 'a' at version '1' differs");
}

TEST_P(Conflicts, of_a_write) {
  to->write(PutWrites{"t", "", "2", {pending("task", 0, "a", "other")}}, {});
  expect_conflict("write 0 of task 'task' at checkpoint '2' differs");
}

TEST_P(Conflicts, of_a_write_whose_checkpoint_is_still_to_come) {
  put_thread(*to, "t");
  to->write(Draft("t", "3").parent("2"), {});
  to->write(PutWrites{"t", "", "3", {pending("task", 0, "a", "loose")}}, {});
  EXPECT_EQ(import(*to, archive).report.unchanged, 1U) << "the store is ahead";
  to->write(DeleteThread{"t"}, {});
}

TEST_P(Conflicts, of_the_metadata_of_a_thread) {
  put_thread(*to, "t");
  to->write(PutThread{"t", R"({"user": "bob"})"}, {});
  expect_conflict("the metadata of the thread differs");
}

TEST_P(Conflicts, of_two_histories) {
  to->write(PutThread{"t", R"({"user": "ada"})"}, {});
  to->write(Draft("t", "1").value("a", "1", "x").metadata(R"({"step": 1})"), {});
  to->write(Draft("t", "9").parent("1"), {});
  expect_conflict(
      "the store has checkpoint '9', which the archive lacks, and lacks others of the archive: "
      "these are two histories");
}

TEST_P(Conflicts, are_none_where_the_thread_went_on) {
  put_thread(*to, "t");
  to->write(Draft("t", "9").parent("2").value("c", "1", "more"), {});
  to->write(PutWrites{"t", "", "1", {pending("other", 0, "a", "w")}}, {});
  const auto before = contents(*to, "t");
  EXPECT_EQ(import(*to, archive).report.unchanged, 1U);
  EXPECT_EQ(contents(*to, "t"), before);
}

TEST_P(Conflicts, are_none_where_a_thread_went_on_from_what_it_has_lost) {
  import(*to, archive);
  const auto whole = contents(*to, "t");
  to->write(Draft("t", "4").parent("2").carries("a", "1").carries("b", "1"), {});
  to->write(Draft("t", "1").ns("child").value("a", "1", "in a namespace of its own"), {});
  to->write(Prune{"t"}, {});
  const auto left = contents(*to, "t");
  EXPECT_LT(left.size(), whole.size() + 2);
  EXPECT_EQ(import(*to, archive).report.restored, 1U);
  const auto after = contents(*to, "t");
  for (const auto* parts : {&whole, &left}) {
    for (const auto& part : *parts) EXPECT_EQ(std::ranges::count(after, part), 1) << part;
  }
  EXPECT_EQ(import(*to, archive).report.unchanged, 2U);
}

TEST_P(Conflicts, of_a_thread_that_does_not_show_what_it_went_on_from) {
  import(*to, archive);
  to->write(Draft("t", "4").parent("2").carries("a", "1").carries("b", "1"), {});
  to->write(Draft("t", "5").parent("4").carries("a", "1").carries("b", "1"), {});
  to->write(Prune{"t"}, {});
  to->write(DeleteThread{"z"}, {});
  expect_conflict(
      "the store has checkpoint '5', which the archive lacks, and lacks others of the archive: "
      "these are two histories");
}

TEST_P(Conflicts, are_none_where_json_is_spelled_in_another_way) {
  to->write(Draft("t", "1").value("a", "1", "x").metadata("{ \"step\":1.0 }"), {});
  to->write(PutThread{"t", "{\"user\" : \"ada\"}"}, {});
  EXPECT_EQ(import(*to, archive).report.restored, 2U);
}

TEST_P(Conflicts, are_told_for_writes_of_what_was_deleted) {
  put_thread(*to, "t");
  to->write(Draft("t", "3").parent("2"), {});
  to->write(DeleteThread{"t"}, {});
  const auto imported = import(*to, archive);
  ASSERT_EQ(imported.problems.size(), 1U) << "the store remembers that 3 was deleted";
  EXPECT_NE(imported.problems[0].message.find("are not stored again"), std::string::npos)
      << imported.problems[0].message;
  EXPECT_EQ(imported.report.failed, 1U);
  EXPECT_EQ(imported.report.restored, 1U);
}

// As an import leaves it that was killed between any two mutations.
TEST_P(Conflicts, are_none_with_what_an_import_left_half_done) {
  const auto whole = contents(*from, "t");
  const std::vector<Mutation> steps = {
      PutThread{"t", R"({"user": "ada"})"},
      Draft("t", "1").value("a", "1", "x").metadata(R"({"step": 1})"),
      Draft("t", "2").parent("1").carries("a", "1").value("b", "1", "y"),
      PutWrites{"t", "", "2", {pending("task", 0, "a", "w"), pending("task", -1, "b", "s")}},
      PutWrites{"t", "", "3", {pending("task", 0, "a", "loose")}}};
  for (std::size_t count = 0; count <= steps.size(); ++count) {
    const auto store = GetParam().make(Environment::system());
    for (std::size_t i = 0; i < count; ++i) store->write(steps[i], {});
    const auto imported = import(*store, archive);
    EXPECT_TRUE(imported.problems.empty()) << imported.problems[0].message;
    EXPECT_EQ(imported.report.unchanged, count == steps.size() ? 1U : 0U);
    EXPECT_EQ(contents(*store, "t"), whole);
  }
}

TEST_P(Conflicts, are_none_with_a_checkpoint_that_waits_for_its_lost_parent) {
  from->write(Prune{"t"}, {});
  archive = archive_of(*from, {"t"});
  to->write(PutThread{"t", R"({"user": "ada"})"}, {});
  to->write(Draft("t", "2").value("a", "1", "x").value("b", "1", "y"), {});
  const auto imported = import(*to, archive);
  EXPECT_EQ(imported.report.restored, 1U);
  EXPECT_EQ(contents(*to, "t"), contents(*from, "t"));
}

INSTANTIATE_TEST_SUITE_P(, Conflicts, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& test) { return test.param.name; });

TEST(Export, of_a_thread_that_is_not_there_is_refused) {
  const auto store = new_memory();
  put_thread(*store, "t");
  try {
    archive_of(*store, {"t", "nobody"});
    FAIL();
  } catch (const NoThread& missing) {
    EXPECT_EQ(missing.thread_id, "nobody");
  }
}

TEST(Export, takes_threads_by_their_metadata_and_ids_once) {
  const auto store = new_memory();
  put_thread(*store, "t");
  store->write(PutThread{"u", R"({"user": "bob"})"}, {});
  const ExportSelection adas{{}, {{"user", "\"ada\""}}};
  EXPECT_EQ(count_threads(*store, adas, {}), 1U);
  EXPECT_EQ(count_threads(*store, {}, {}), 2U);
  ArchiveWriter writer([](std::string_view) {});
  export_threads(*store, adas, writer, {}, [] {});
  EXPECT_EQ(writer.threads(), 1U);
  EXPECT_EQ(writer.counts(), (Counts{2, 2, 3}));
  EXPECT_EQ(archive_of(*store, {"u", "t", "u"}), archive_of(*store, {"t", "u"}));
}

}  // namespace
}  // namespace threadkeep::ops
#endif
