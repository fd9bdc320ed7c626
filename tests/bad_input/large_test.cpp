// SPDX-License-Identifier: Apache-2.0
// What is large in number or in bytes: stored whole, or refused by a limit that has a name; in
// memory that is measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "backends_under_test.hpp"
#include "peak_memory.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep {
namespace {

using testing::BackendSpec;
using testing::Draft;
using testing::json_string;
using testing::pending;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class Large : public ::testing::TestWithParam<BackendSpec> {
 protected:
  const std::shared_ptr<Store> store = GetParam().make(Environment::system());
  const Call call{Deadline::after(std::chrono::minutes(10)), {}};

  void expect_invalid(const std::function<void()>& act, const std::string& limit) {
    try {
      act();
      ADD_FAILURE() << "it was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
      EXPECT_NE(error.message().find(limit), std::string::npos) << error.what();
      EXPECT_LT(error.message().size(), 3000U) << "it repeats what it refuses";
    }
  }
};

// One document whose channels have values of their own inside of it, or beside it.
PutCheckpoint with_channels(int channels, bool inlined) {
  PutCheckpoint put = Draft("t", "1");
  std::string versions;
  std::string values;
  for (int i = 0; i < channels; ++i) {
    const std::string name = "c" + std::to_string(i);
    versions += (i ? ",\"" : "\"") + name + "\":\"1\"";
    if (inlined) values += (i ? ",\"" : "\"") + name + "\":0";
    if (!inlined) put.blobs.push_back({name, "1", "text", Bytes::copy("x")});
  }
  put.document = "{\"channel_versions\":{" + versions + "},\"channel_values\":{" + values + "}}";
  return put;
}

TEST_P(Large, checkpoint_of_a_million_channels_is_refused) {
  const auto expect_refused = [&](PutCheckpoint put, const std::string& field) {
    const testing::PeakMemory memory;
    expect_invalid([&] { store->write(std::move(put), call); },
                   field + " has 1000000 entries; at most 100000");
    EXPECT_LT(memory.bytes(), 16 * mebibyte);
  };
  PutCheckpoint put = with_channels(1'000'000, true);
  const auto values = put.document.find(",\"channel_values\"");
  PutCheckpoint inlined = put;
  inlined.document.replace(1, values, "");
  put.document.resize(values);
  put.document += "}";
  expect_refused(std::move(put), "document.channel_versions");
  expect_refused(std::move(inlined), "document.channel_values");
  PutCheckpoint blobs = Draft("t", "1");
  blobs.blobs.resize(1'000'000);
  expect_refused(std::move(blobs), "blobs");
  PutWrites writes{"t", "", "1", std::vector<PendingWrite>(1'000'000)};
  expect_invalid([&] { store->write(std::move(writes), call); },
                 "writes has 1000000 entries; at most 100000");
  EXPECT_TRUE(store->threads({}, call).items.empty());
}

TEST_P(Large, checkpoint_of_100000_channels_is_stored_read_listed_and_deleted) {
  const PutCheckpoint put = with_channels(max_channels, true);
  const testing::PeakMemory memory;
  store->write(put, call);
  const auto found = store->get({"t", "", {}, {}}, call);
  ASSERT_TRUE(found);
  EXPECT_EQ(std::count(found->document.begin(), found->document.end(), ':'),
            std::count(put.document.begin(), put.document.end(), ':'));
  const auto page = store->list({}, call);
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].document, found->document);
  EXPECT_LT(memory.bytes(), 40 * put.document.size()) << "for names and versions, one by one";
  store->write(DeleteThread{"t"}, call);
  EXPECT_FALSE(store->get({"t", "", {}, {}}, call));
}

TEST_P(Large, checkpoint_of_100000_values_is_stored_read_listed_and_deleted) {
  const PutCheckpoint put = with_channels(max_channels, false);
  const testing::PeakMemory memory;
  store->write(put, call);
  EXPECT_EQ(store->get({"t", "", {}, {}}, call)->values.size(), put.blobs.size());
  EXPECT_EQ(store->list({}, call).items.at(0).values.size(), put.blobs.size());
  EXPECT_LT(memory.bytes(), 2048 * put.blobs.size()) << "for values, one by one";
  store->write(DeleteThread{"t"}, call);
  EXPECT_FALSE(store->get({"t", "", {}, {}}, call));
}

TEST_P(Large, metadata_of_10_mebibytes_is_stored_read_listed_and_found) {
  const std::string metadata = R"({"k":1,"a":")" + std::string(10 * mebibyte, 'x') + "\"}";
  const PutCheckpoint put = Draft("t", "1").metadata(metadata);
  const testing::PeakMemory memory;
  store->write(put, call);
  EXPECT_GE(store->get({"t", "", {}, {}}, call).value().metadata.size(), metadata.size());
  CheckpointList list;
  list.filter = {{"k", "1"}};
  EXPECT_EQ(store->list(list, call).items.size(), 1U);
  EXPECT_LT(memory.bytes(), 10 * metadata.size());
}

// The limits of SQLite and memory are about 1 GiB, more than a test should take.
class LargeValue : public Large {};

TEST_P(LargeValue, above_the_limit_is_refused_and_not_copied) {
  const std::size_t limit = store->capabilities().max_value_bytes;
  ASSERT_LE(limit, 256 * mebibyte);
  PutThread put{"t", "{\"a\":\"" + std::string(limit, 'x') + "\"}"};
  const testing::PeakMemory memory;
  expect_invalid([&] { store->write(std::move(put), call); }, "max_value_bytes");
  EXPECT_LT(memory.bytes(), 16 * mebibyte);
  EXPECT_TRUE(store->threads({}, call).items.empty());
}

TEST_P(Large, key_is_named_by_its_beginning_where_it_is_refused) {
  const std::string key(10 * mebibyte, 'k');
  PutCheckpoint put = Draft("t", "1").metadata("{\"" + key + "\":{\"" + key + "\":NaN}}");
  expect_invalid([&] { store->write(put, call); }, "kkk... is NaN");
  put = Draft("t", "1").carries(key, "1");
  expect_invalid([&] { store->write(put, call); }, "at most 512 are allowed");
  put = Draft("t", "1").carries("a", "1").inlined(key, "null", "1");
  expect_invalid([&] { store->write(put, call); }, "document.channel_versions.kkk");
  CheckpointList list;
  list.filter = {{key, "NaN"}};
  expect_invalid([&] { store->list(list, call); }, "filter.kkk");
  EXPECT_TRUE(store->list({}, call).items.empty());
}

TEST_P(Large, filter_of_too_many_conditions_is_refused) {
  store->write(Draft("t", "1").metadata("{\"k\":1}"), call);
  CheckpointList list;
  list.filter.assign(1000, {"k", "1"});
  EXPECT_EQ(store->list(list, call).items.size(), 1U);
  list.filter.push_back({"k", "1"});
  expect_invalid([&] { store->list(list, call); }, "filter has 1001 conditions; at most 1000");
  ThreadList threads;
  threads.filter = list.filter;
  expect_invalid([&] { store->threads(threads, call); }, "at most 1000");
}

std::string name_of(const ::testing::TestParamInfo<BackendSpec>& each) {
  return each.param.name;
}

std::vector<BackendSpec> servers() {
  auto all = testing::built_backends();
  std::erase_if(all,
                [](const auto& each) { return each.name == "memory" || each.name == "sqlite"; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(, Large, ::testing::ValuesIn(testing::built_backends()), name_of);
INSTANTIATE_TEST_SUITE_P(, LargeValue, ::testing::ValuesIn(servers()), name_of);

}  // namespace
}  // namespace threadkeep
