// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/testing/access.hpp"
#include "threadkeep/testing/backend_spec.hpp"
#include "threadkeep/testing/draft.hpp"

/// \file
/// The conformance suite: what a backend must do to be a store of threadkeep. A test program runs
/// all of it by one line at namespace scope, and links threadkeep::testing and GTest::gtest_main:
///
///     THREADKEEP_CONFORMANCE(threadkeep::testing::backend_at("mine", "mine:{dir}/store"))

namespace threadkeep::testing {

/// What one run of a case works on. Its name reads "sqlite_async".
struct Subject {
  BackendSpec backend;
  AccessKind access = AccessKind::sync;

  /// How GoogleTest shows it.
  friend void PrintTo(const Subject& subject, std::ostream* out) {
    *out << subject.backend.name << ", " << to_string(subject.access);
  }
};

std::string subject_name(const ::testing::TestParamInfo<Subject>& info);

/// Every backend with every access that there is.
std::vector<Subject> subjects(const std::vector<BackendSpec>& backends);

/// The base of all cases: an empty store whose clock the case sets, and short forms of the
/// operations.
class Conformance : public ::testing::TestWithParam<Subject> {
 protected:
  Conformance();

  Written put(PutCheckpoint checkpoint);
  Written put_writes(std::string thread_id, std::string checkpoint_id,
                     std::vector<PendingWrite> writes, std::string checkpoint_ns = {});
  Written write(Mutation mutation);
  Written prune(std::vector<std::string> thread_ids,
                PruneStrategy strategy = PruneStrategy::keep_latest);

  std::optional<CheckpointTuple> get(std::string thread_id,
                                     std::optional<std::string> checkpoint_id = {},
                                     std::string checkpoint_ns = {});
  /// As get, for a checkpoint that must be there; ends the case otherwise.
  CheckpointTuple load(std::string thread_id, std::optional<std::string> checkpoint_id = {},
                       std::string checkpoint_ns = {});
  /// All pages of a listing.
  std::vector<CheckpointTuple> all(CheckpointList query);
  /// The checkpoint ids of all pages, in the order of the listing.
  std::vector<std::string> ids(CheckpointList query);
  std::vector<std::string> ids_of(std::string thread_id);
  ChannelHistory history(std::string thread_id, std::string channel,
                         std::optional<std::string> checkpoint_id = {});
  std::optional<ThreadInfo> thread(std::string_view thread_id);
  std::vector<std::string> thread_ids(ThreadList query = {});

  /// Checkpoints "1" to `count` of a thread, each the child of the one before.
  void put_chain(const std::string& thread_id, int count, const std::string& checkpoint_ns = {});

  /// The wall clock that the store sees, microseconds.
  void set_clock(std::int64_t now) { *clock_ = now; }
  Access& access() { return *access_; }
  const std::shared_ptr<Store>& store() const { return store_; }

 private:
  std::shared_ptr<std::atomic<std::int64_t>> clock_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<Access> access_;
};

/// A query for the checkpoints of one thread.
CheckpointList of_thread(std::string thread_id);

/// The payload of a channel at a checkpoint; empty when it has none there.
std::optional<std::string> value_of(const CheckpointTuple& checkpoint, std::string_view channel);

/// "task idx channel text" of each write, for comparing at one glance.
std::vector<std::string> describe(const std::vector<PendingWrite>& writes);

/// Runs `call`, which must throw Error with this code and with `mention` in its message.
template <std::invocable Run>
void expect_error(Code code, std::string_view mention, Run&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(mention), std::string_view::npos)
        << error.what() << "\ndoes not mention " << mention;
    return;
  }
  ADD_FAILURE() << "no error; expected " << to_string(code);
}

// One class for each group of cases, so that a group can be picked by --gtest_filter='Prune.*'.
class Calls : public Conformance {};
class Copy : public Conformance {};
class Cursors : public Conformance {};
class DeleteRun : public Conformance {};
class DeleteAll : public Conformance {};
class Get : public Conformance {};
class History : public Conformance {};
class Ids : public Conformance {};
class Json : public Conformance {};
class List : public Conformance {};
class LooseWrites : public Conformance {};
class Pruning : public Conformance {};
class Put : public Conformance {};
class PutWrite : public Conformance {};
class RequireLatest : public Conformance {};
class Stats : public Conformance {};
class Threads : public Conformance {};
class Tombstones : public Conformance {};

/// Makes the linker keep the object files of the cases, which nothing else refers to.
bool keep_conformance_cases();

}  // namespace threadkeep::testing

#define THREADKEEP_CONFORMANCE_GROUP_(group, ...)                                             \
  using threadkeep::testing::group;                                                           \
  INSTANTIATE_TEST_SUITE_P(, group,                                                           \
                           ::testing::ValuesIn(threadkeep::testing::subjects({__VA_ARGS__})), \
                           threadkeep::testing::subject_name);

/// Runs the suite on one or more BackendSpec. Once in a program, outside of any namespace.
#define THREADKEEP_CONFORMANCE(...)                                \
  [[maybe_unused]] static const bool threadkeep_conformance_kept = \
      threadkeep::testing::keep_conformance_cases();               \
  namespace threadkeep_conformance {                               \
  THREADKEEP_CONFORMANCE_GROUP_(Calls, __VA_ARGS__)                \
  THREADKEEP_CONFORMANCE_GROUP_(Copy, __VA_ARGS__)                 \
  THREADKEEP_CONFORMANCE_GROUP_(Cursors, __VA_ARGS__)              \
  THREADKEEP_CONFORMANCE_GROUP_(DeleteAll, __VA_ARGS__)            \
  THREADKEEP_CONFORMANCE_GROUP_(DeleteRun, __VA_ARGS__)            \
  THREADKEEP_CONFORMANCE_GROUP_(Get, __VA_ARGS__)                  \
  THREADKEEP_CONFORMANCE_GROUP_(History, __VA_ARGS__)              \
  THREADKEEP_CONFORMANCE_GROUP_(Ids, __VA_ARGS__)                  \
  THREADKEEP_CONFORMANCE_GROUP_(Json, __VA_ARGS__)                 \
  THREADKEEP_CONFORMANCE_GROUP_(List, __VA_ARGS__)                 \
  THREADKEEP_CONFORMANCE_GROUP_(LooseWrites, __VA_ARGS__)          \
  THREADKEEP_CONFORMANCE_GROUP_(Pruning, __VA_ARGS__)              \
  THREADKEEP_CONFORMANCE_GROUP_(Put, __VA_ARGS__)                  \
  THREADKEEP_CONFORMANCE_GROUP_(PutWrite, __VA_ARGS__)             \
  THREADKEEP_CONFORMANCE_GROUP_(RequireLatest, __VA_ARGS__)        \
  THREADKEEP_CONFORMANCE_GROUP_(Stats, __VA_ARGS__)                \
  THREADKEEP_CONFORMANCE_GROUP_(Threads, __VA_ARGS__)              \
  THREADKEEP_CONFORMANCE_GROUP_(Tombstones, __VA_ARGS__)           \
  }
