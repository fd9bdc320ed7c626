// SPDX-License-Identifier: Apache-2.0
// What goes out of a store of one kind comes into a store of another as it was.
#include <gtest/gtest.h>

#include "backends_under_test.hpp"
#include "sample.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::ops {
namespace {

using testing::BackendSpec;
using testing::Draft;
using Pair = std::tuple<BackendSpec, BackendSpec>;

class RoundTrip : public ::testing::TestWithParam<Pair> {
 protected:
  std::shared_ptr<Store> from = std::get<0>(GetParam()).make(Environment::system());
  std::shared_ptr<Store> to = std::get<1>(GetParam()).make(Environment::system());
};

TEST_P(RoundTrip, restores_random_threads_exactly) {
  fill(*from, 1);
  fill(*from, 2);
  const auto before = contents(*from);
  const auto archive = archive_of(*from);

  const auto planned = import(*to, archive, true);
  EXPECT_EQ(contents(*to), std::vector<std::string>{}) << "a dry run changes nothing";
  const auto done = import(*to, archive);
  EXPECT_EQ(contents(*to), before);
  EXPECT_EQ(contents(*from), before) << "nor does an export";
  EXPECT_EQ(done.report.restored, 8U);
  EXPECT_EQ(done.report.failed, 0U);
  EXPECT_EQ(planned.report.restored, done.report.restored);
  EXPECT_EQ(planned.report.stored, done.report.stored);

  const auto again = import(*to, archive);
  EXPECT_EQ(again.report.unchanged, 8U);
  EXPECT_EQ(again.report.stored, Counts{});
  EXPECT_EQ(contents(*to), before);
}

TEST_P(RoundTrip, restores_threads_that_were_deleted) {
  for (const auto* id : {"1", "2", "3"}) {
    const int number = id[0] - '0';
    Draft draft("t", id);
    if (number > 1) draft.parent(std::to_string(number - 1));
    from->write(draft.value("a", id, std::string("value ") + id), {});
    from->write(PutWrites{"t", "", id, {testing::pending("task", 0, "a", "x")}}, {});
  }
  const auto whole = contents(*from, "t");
  const auto archive = archive_of(*from, {"t"});
  import(*to, archive);
  to->write(DeleteThread{"t"}, {});
  EXPECT_EQ(import(*to, archive).report.restored, 1U);
  EXPECT_EQ(contents(*to, "t"), whole);

  from->write(Prune{"t"}, {});
  const auto pruned = contents(*from, "t");
  const auto rest = archive_of(*from, {"t"});
  to->write(DeleteThread{"t"}, {});
  EXPECT_EQ(import(*to, rest).report.restored, 1U) << "although the parent is gone";
  EXPECT_EQ(contents(*to, "t"), pruned);
  EXPECT_EQ(import(*to, rest).report.unchanged, 1U);
  EXPECT_EQ(import(*to, archive).report.restored, 1U) << "what was pruned comes back";
  EXPECT_EQ(contents(*to, "t"), whole);
}

INSTANTIATE_TEST_SUITE_P(, RoundTrip,
                         ::testing::Combine(::testing::ValuesIn(testing::built_backends()),
                                            ::testing::ValuesIn(testing::built_backends())),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_to_" +
                                  std::get<1>(test.param).name;
                         });

class LargeValues : public ::testing::TestWithParam<BackendSpec> {};

TEST_P(LargeValues, of_sixteen_mebibytes_go_in_and_out) {
  std::string large(16 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < large.size(); i += 101) large[i] = static_cast<char>(i / 101);
  const auto from = new_memory();
  from->write(Draft("t", "1").value("a", "1", large), {});
  from->write(Draft("t", "2").parent("1").carries("a", "1").value("b", "1", large + "b"), {});
  from->write(PutWrites{"t", "", "3", {testing::pending("task", 0, "a", large + "c")}}, {});
  const auto store = GetParam().make(Environment::system());
  EXPECT_EQ(import(*store, archive_of(*from, {"t"})).report.stored, (Counts{2, 2, 1}));
  const auto back = new_memory();
  import(*back, archive_of(*store, {"t"}));
  EXPECT_TRUE(contents(*back, "t") == contents(*from, "t"));
}

INSTANTIATE_TEST_SUITE_P(, LargeValues, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace threadkeep::ops
