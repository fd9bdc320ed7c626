// SPDX-License-Identifier: Apache-2.0
#include "mixed_load.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "chaos_store.hpp"
#include "threadkeep/checkpointer.hpp"

namespace threadkeep::postgres_test {

namespace {

constexpr int players = 32;
constexpr int calls = 60;

std::string to_text(const Written& written) {
  return std::to_string(written.changed) + " changed, " + std::to_string(written.kept) + " kept, " +
         std::to_string(written.dropped) + " dropped";
}

std::string to_text(const CheckpointTuple& tuple) {
  auto text = tuple.checkpoint_id + " after " + tuple.parent_checkpoint_id.value_or("none") + ":";
  for (const auto& blob : tuple.values) {
    text += " " + blob.channel + blob.version + "=" + std::string(blob.data.view());
  }
  for (const auto& write : tuple.writes) {
    text += " " + write.task_id + std::to_string(write.idx) + "=" + std::string(write.data.view());
  }
  return text;
}

/// Calls that follow from a seed alone, and what came back.
class Player {
 public:
  Player(Checkpointer store, std::uint32_t seed, int number)
      : store_(std::move(store)), random_(seed), name_("player " + padded(number)) {}

  std::vector<std::string> play() {
    std::vector<std::string> answers;
    for (int i = 0; i < calls; ++i) {
      std::string answer;
      const auto error = error_of([&] { answer = call(); });
      answers.push_back(error ? std::string(to_string(error->code())) : answer);
    }
    return answers;
  }

 private:
  // Few ids, so that calls meet what others left.
  std::string thread() { return name_ + (random_() % 4 == 0 ? " copy" : ""); }
  std::string id() { return std::to_string(random_() % 8); }

  std::string call() {
    switch (random_() % 14) {
      case 0:
        return get(id());
      case 1:
        return get({});
      case 2:
        return list();
      case 3:
        return history();
      case 4:
        return "copy: " + to_text(store_.copy_thread(name_, name_ + " copy"));
      case 5:
        return "prune: " + prune();
      case 6:
        return "delete: " + remove();
      case 7:
        return "runs: " + to_text(store_.delete_runs({name_ + id()}));
      case 8:
        return "thread: " + to_text(store_.put_thread({thread(), "{\"n\": " + id() + "}"}));
      case 9:
      case 10:
        return "writes: " + put_writes();
      default:
        return "put: " + put();
    }
  }

  std::string put() {
    Draft draft(thread(), id());
    if (random_() % 4 != 0) draft.parent(id());
    const auto version = id();
    draft.value("a", version, version + "a").carries("b", id());
    if (random_() % 2 == 0) draft.value("c", id(), "c");
    if (random_() % 4 == 0) draft.require_latest_parent();
    draft.metadata("{\"run_id\": " + testing::json_string(name_ + id()) + "}");
    return to_text(store_.put(draft));
  }

  std::string put_writes() {
    const auto text = id();
    return to_text(store_.put_writes(
        {thread(), "", id(), {pending(id(), 0, "a", text), pending(id(), -1, "b", text)}}));
  }

  std::string prune() {
    const std::vector<std::string> ids = {thread()};
    return to_text(store_.prune(ids, PruneStrategy::keep_latest));
  }

  std::string remove() {
    return random_() % 3 == 0 ? to_text(store_.delete_thread(thread())) : "not this time";
  }

  std::string get(const std::optional<std::string>& id) {
    const auto tuple = store_.get({thread(), "", id, {}});
    return tuple ? to_text(*tuple) : "absent";
  }

  std::string list() {
    CheckpointList query;
    query.thread_id = thread();
    std::string text;
    for (const auto& tuple : store_.list(query).items) text += to_text(tuple) + "\n";
    return text;
  }

  std::string history() {
    std::string text;
    for (const auto& channel : store_.history({thread(), "", {}, {"a", "c"}})) {
      text += channel.channel + ": ";
      if (channel.seed) text += std::string(channel.seed->data.view());
      for (const auto& write : channel.writes) text += " " + std::string(write.data.view());
    }
    return text;
  }

  Checkpointer store_;
  std::mt19937 random_;
  const std::string name_;
};

std::vector<std::string> play(const std::shared_ptr<Store>& store, std::uint32_t seed, int number) {
  return Player(Checkpointer(store), seed + static_cast<std::uint32_t>(number), number).play();
}

}  // namespace

void run_mixed_load(const std::shared_ptr<Store>& store) {
  const auto seed = std::random_device()();
  std::vector<std::vector<std::string>> answers(players);
  std::vector<std::jthread> threads;
  for (int i = 0; i < players; ++i) {
    threads.emplace_back(
        [&, i] { answers.at(static_cast<std::size_t>(i)) = play(store, seed, i); });
  }
  threads.clear();
  const auto memory = open("memory:");
  for (int i = 0; i < players; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", player " + std::to_string(i));
    EXPECT_EQ(answers.at(static_cast<std::size_t>(i)), play(memory, seed, i));
  }
}

}  // namespace threadkeep::postgres_test
