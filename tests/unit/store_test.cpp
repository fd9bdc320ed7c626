// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "recording_backend.hpp"

// The door of a store: what reaches a backend and what does not.

namespace threadkeep::testing {
namespace {

using Strings = std::vector<std::string>;

class StoreDoor : public ::testing::Test {
 protected:
  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  Store store_{std::make_unique<RecordingBackend>(recorder_)};
};

TEST_F(StoreDoor, keeps_invalid_requests_out) {
  EXPECT_EQ(ending(store_, Draft("", "1")), "invalid_argument");
  EXPECT_EQ(ending(store_, Draft("t", "1").metadata("[]")), "invalid_argument");
  auto asynchronous = submit(store_, Draft("", "1"));
  EXPECT_EQ(ending(asynchronous), "invalid_argument");
  EXPECT_THROW(store_.get({"", "", {}, {}}, Call{}), Error);
  EXPECT_EQ(recorder_->events(), Strings{});
}

TEST_F(StoreDoor, keeps_late_and_cancelled_requests_out) {
  std::stop_source source;
  source.request_stop();
  const Call late{Deadline::after(std::chrono::nanoseconds(-1)), {}};
  const Call cancelled{Deadline(), source.get_token()};
  EXPECT_EQ(ending(store_, labelled("t", "w"), late), "timeout");
  EXPECT_EQ(ending(store_, labelled("t", "w"), cancelled), "cancelled");
  EXPECT_THROW(store_.get({"t", "", {}, {}}, late), Error);
  EXPECT_THROW(store_.list({}, cancelled), Error);
  EXPECT_EQ(recorder_->events(), Strings{});
}

TEST_F(StoreDoor, lets_the_valid_members_of_a_group_in) {
  const auto outcomes =
      store_.write_all({labelled("t", "a"), labelled("", "b"), labelled("t", "c")}, Call{});
  EXPECT_EQ(ending(outcomes[0]), "ok");
  EXPECT_EQ(ending(outcomes[1]), "invalid_argument");
  EXPECT_EQ(ending(outcomes[2]), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"a", "c"}));
}

TEST_F(StoreDoor, hands_metadata_over_without_nul_characters) {
  store_.write(Draft("t", "1").metadata(R"({"a": "x\u0000y"})"), Call{});
  const auto batches = recorder_->batches();
  EXPECT_EQ(std::get<PutCheckpoint>(batches.at(0).at(0)).metadata, R"({"a": "xy"})");
}

TEST_F(StoreDoor, hands_payloads_over_without_a_copy) {
  const Bytes payload(std::string(1024 * 1024, 'x'));
  PutWrites put{"t", "", "1", {pending("task", 0, "a", "")}};
  put.writes[0].data = payload;
  store_.write(put, Call{});
  const auto batches = recorder_->batches();
  EXPECT_EQ(std::get<PutWrites>(batches.at(0).at(0)).writes[0].data.data(), payload.data());
}

TEST_F(StoreDoor, holds_sizes_against_the_limit_of_the_backend) {
  const auto limit = store_.capabilities().max_value_bytes;
  const Bytes fits(std::string(limit, 'x'));
  const Bytes too_large(std::string(limit + 1, 'x'));
  PutWrites put{"t", "", "1", {pending("fits", 0, "a", "")}};
  put.writes[0].data = fits;
  EXPECT_EQ(ending(store_, put), "ok");
  put.writes[0].data = too_large;
  EXPECT_EQ(ending(store_, put), "invalid_argument");
  auto document = PutCheckpoint(Draft("t", "1"));
  document.document.append(limit, ' ');
  EXPECT_EQ(ending(store_, document), "invalid_argument");
  EXPECT_EQ(recorder_->events(), Strings{"fits"});
}

TEST_F(StoreDoor, makes_room_for_no_work_at_all) {
  EXPECT_EQ(store_.write_all({}, Call{}).size(), 0U);
  EXPECT_EQ(recorder_->batches().size(), 0U);
}

}  // namespace
}  // namespace threadkeep::testing
