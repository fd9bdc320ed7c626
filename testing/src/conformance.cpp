// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/conformance.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace threadkeep::testing {

namespace {

std::string or_latest(const std::optional<std::string>& id) {
  return id.value_or("the latest");
}

}  // namespace

std::string subject_name(const ::testing::TestParamInfo<Subject>& info) {
  return info.param.backend.name + "_" + to_string(info.param.access);
}

std::vector<Subject> subjects(const std::vector<BackendSpec>& backends) {
  std::vector<Subject> all;
  for (const auto& backend : backends) {
    all.push_back({backend, AccessKind::sync});
    all.push_back({backend, AccessKind::async});
  }
  return all;
}

Conformance::Conformance() : clock_(std::make_shared<std::atomic<std::int64_t>>(0)) {
  const Environment environment{[clock = clock_] { return clock->load(); }};
  store_ = GetParam().backend.make(environment);
  access_ = make_access(GetParam().access, store_);
}

Written Conformance::put(PutCheckpoint checkpoint) {
  return write(std::move(checkpoint));
}

Written Conformance::put_writes(std::string thread_id, std::string checkpoint_id,
                                std::vector<PendingWrite> writes, std::string checkpoint_ns) {
  return write(PutWrites{std::move(thread_id), std::move(checkpoint_ns), std::move(checkpoint_id),
                         std::move(writes)});
}

Written Conformance::write(Mutation mutation) {
  return access_->write(std::move(mutation), Call{});
}

Written Conformance::prune(std::vector<std::string> thread_ids, PruneStrategy strategy) {
  return access_->prune(thread_ids, strategy, Call{});
}

std::optional<CheckpointTuple> Conformance::get(std::string thread_id,
                                                std::optional<std::string> checkpoint_id,
                                                std::string checkpoint_ns) {
  const CheckpointQuery query{
      std::move(thread_id), std::move(checkpoint_ns), std::move(checkpoint_id), {}};
  return access_->get(query, Call{});
}

CheckpointTuple Conformance::load(std::string thread_id, std::optional<std::string> checkpoint_id,
                                  std::string checkpoint_ns) {
  auto found = get(thread_id, checkpoint_id, std::move(checkpoint_ns));
  if (found) return std::move(*found);
  throw std::runtime_error("no checkpoint " + or_latest(checkpoint_id) + " in " + thread_id);
}

std::vector<CheckpointTuple> Conformance::all(CheckpointList query) {
  std::vector<CheckpointTuple> items;
  do {
    auto page = access_->list(query, Call{});
    std::move(page.items.begin(), page.items.end(), std::back_inserter(items));
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return items;
}

std::vector<std::string> Conformance::ids(CheckpointList query) {
  std::vector<std::string> ids;
  for (const auto& item : all(std::move(query))) ids.push_back(item.checkpoint_id);
  return ids;
}

std::vector<std::string> Conformance::ids_of(std::string thread_id) {
  return ids(of_thread(std::move(thread_id)));
}

ChannelHistory Conformance::history(std::string thread_id, std::string channel,
                                    std::optional<std::string> checkpoint_id) {
  const HistoryQuery query{
      std::move(thread_id), "", std::move(checkpoint_id), {std::move(channel)}};
  auto channels = access_->history(query, Call{});
  if (channels.size() == 1) return std::move(channels.front());
  throw std::runtime_error("the history of one channel has " + std::to_string(channels.size()));
}

std::optional<ThreadInfo> Conformance::thread(std::string_view thread_id) {
  ThreadList query;
  do {
    auto page = access_->threads(query, Call{});
    for (auto& info : page.items) {
      if (info.thread_id == thread_id) return std::move(info);
    }
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return std::nullopt;
}

std::vector<std::string> Conformance::thread_ids(ThreadList query) {
  std::vector<std::string> ids;
  do {
    const auto page = access_->threads(query, Call{});
    for (const auto& info : page.items) ids.push_back(info.thread_id);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return ids;
}

void Conformance::put_chain(const std::string& thread_id, int count,
                            const std::string& checkpoint_ns) {
  for (int i = 1; i <= count; ++i) {
    Draft draft(thread_id, std::to_string(i));
    draft.ns(checkpoint_ns).metadata("{\"step\": " + std::to_string(i) + "}");
    if (i > 1) draft.parent(std::to_string(i - 1));
    put(draft);
  }
}

CheckpointList of_thread(std::string thread_id) {
  CheckpointList query;
  query.thread_id = std::move(thread_id);
  return query;
}

std::optional<std::string> value_of(const CheckpointTuple& checkpoint, std::string_view channel) {
  for (const auto& blob : checkpoint.values) {
    if (blob.channel == channel) return std::string(blob.data.view());
  }
  return std::nullopt;
}

std::vector<std::string> describe(const std::vector<PendingWrite>& writes) {
  std::vector<std::string> lines;
  for (const auto& write : writes) {
    lines.push_back(write.task_id + " " + std::to_string(write.idx) + " " + write.channel + " " +
                    std::string(write.data.view()));
  }
  return lines;
}

// A linker may take cases into a program that does not run them, for the sake of some inline
// function of the standard library. That is no mistake of the program.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Calls);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Copy);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Cursors);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DeleteRun);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DeleteAll);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Get);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(History);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Ids);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Json);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(List);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Pruning);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Put);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PutWrite);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RequireLatest);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Stats);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Threads);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Tombstones);

}  // namespace threadkeep::testing
