// SPDX-License-Identifier: Apache-2.0
// A process is killed while it writes. What it was told to be stored is stored, and nothing is
// stored by half. The ledger of what was acknowledged is a pipe to the parent.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

constexpr int rounds = 40;
constexpr int threads_per_process = 3;

struct Acknowledged {
  std::int32_t thread;
  std::int32_t number;
};

std::string id_of(int number) {
  const std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

std::string thread_of(int round, int thread) {
  return "round " + std::to_string(round) + " thread " + std::to_string(thread);
}

// Larger than a page and than a write of the system, so that there is a middle to be killed in.
std::string value_of(int number) {
  return std::string(20000, static_cast<char>('a' + number % 26));
}

Draft checkpoint(const std::string& thread, int number) {
  Draft draft(thread, id_of(number));
  if (number > 0) draft.parent(id_of(number - 1));
  return draft.value("small", id_of(number), "s").value("large", id_of(number), value_of(number));
}

PutWrites writes(const std::string& thread, int number) {
  return {
      thread,
      "",
      id_of(number),
      {pending("task", 0, "a", "1"), pending("task", 1, "a", "2"), pending("task", -1, "b", "3")}};
}

// Both rows of a number are stored before it goes into the ledger.
void write_until_killed(Checkpointer store, int ledger, int round, int thread) {
  const std::string name = thread_of(round, thread);
  for (int number = 0;; ++number) {
    store.put(checkpoint(name, number));
    store.put_writes(writes(name, number));
    const Acknowledged entry{thread, number};
    require(write(ledger, &entry, sizeof entry) == sizeof entry, "write to the ledger");
  }
}

void write_in_threads(const std::filesystem::path& file, int ledger, int round) {
  const Checkpointer store = open_store(file);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < threads_per_process; ++thread) {
    threads.emplace_back([=] { write_until_killed(store, ledger, round, thread); });
  }
}

std::vector<int> read_ledger(int ledger) {
  fcntl(ledger, F_SETFL, O_NONBLOCK);
  std::vector<int> last(threads_per_process, -1);
  Acknowledged entry{};
  while (read(ledger, &entry, sizeof entry) == sizeof entry) {
    last.at(static_cast<std::size_t>(entry.thread)) = entry.number;
  }
  return last;
}

// Every checkpoint that is there is whole; the answer is how many there are.
int check_whole(Checkpointer& store, const std::string& thread) {
  CheckpointList query;
  query.thread_id = thread;
  query.limit = 100000;
  query.max_bytes = std::size_t{1} << 40;
  const auto page = store.list(query);
  int number = static_cast<int>(page.items.size());
  for (const CheckpointTuple& tuple : page.items) {
    EXPECT_EQ(tuple.checkpoint_id, id_of(--number));
    EXPECT_EQ(tuple.values.size(), 2u) << tuple.checkpoint_id;
    if (tuple.values.size() == 2) {
      EXPECT_EQ(tuple.values[0].data.view(), value_of(number));
    }
    EXPECT_TRUE(tuple.writes.empty() || tuple.writes.size() == 3) << tuple.writes.size();
  }
  return static_cast<int>(page.items.size());
}

void check_round(Checkpointer& store, int round, const std::vector<int>& acknowledged) {
  for (int thread = 0; thread < threads_per_process; ++thread) {
    const std::string name = thread_of(round, thread);
    const int last = acknowledged.at(static_cast<std::size_t>(thread));
    EXPECT_GT(check_whole(store, name), last) << name;
    if (last >= 0) {
      EXPECT_EQ(store.get({name, "", id_of(last), {}})->writes.size(), 3u) << name;
    }
  }
}

TEST(Killed, writer_loses_nothing_that_was_acknowledged_and_leaves_nothing_by_half) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "store.db";
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int total = 0;
  for (int round = 0; round < rounds; ++round) {
    Signal ledger;
    Child child([&] { write_in_threads(file, ledger.write_end(), round); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    child.kill();
    const auto acknowledged = read_ledger(ledger.read_end());
    for (const int last : acknowledged) total += last + 1;
    Checkpointer store = open_store(file);
    check_round(store, round, acknowledged);
  }
  EXPECT_GT(total, rounds) << "hardly anything was written before the kills";
  EXPECT_EQ(RawDatabase(file).value("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace threadkeep::sqlite_test
