// SPDX-License-Identifier: Apache-2.0
//
// Several agents at once on one thread of execution, with asio coroutines.
//
//   agent_async [URL] [AGENTS]
//
// Each agent keeps a thread of its own. While one waits for the store the others go on, and what
// they store at the same time shares a batch.

// clang-format off
#include <threadkeep/async.hpp>  // before asio, as it says why
// clang-format on

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <exception>
#include <future>
#include <iostream>
#include <threadkeep/threadkeep.hpp>

#include "agent_model.hpp"

namespace {

using agent::json;
using Checkpointer = threadkeep::AsyncCheckpointer<asio::io_context::executor_type>;

// Arguments of coroutine calls are named before they are passed: GCC 12 destroys some temporaries
// in co_await expressions twice.

// [snippet coroutine]
asio::awaitable<void> commit(Checkpointer& store, threadkeep::PutCheckpoint& checkpoint,
                             const json& messages, int version) {
  checkpoint.document = json{{"channel_versions", {{"messages", version}}}}.dump();
  checkpoint.metadata = json{{"step", version}}.dump();
  checkpoint.blobs = {
      {"messages", std::to_string(version), "json", threadkeep::Bytes(messages.dump())}};
  const threadkeep::Call call{threadkeep::Deadline::after(std::chrono::seconds(10)), {}};
  co_await store.put(checkpoint, call, asio::use_awaitable);
}
// [/snippet coroutine]

asio::awaitable<std::string> run_tools(Checkpointer& store,
                                       const threadkeep::PutCheckpoint& checkpoint,
                                       const std::vector<std::string>& tasks) {
  std::string found;
  for (const std::string& task : tasks) {
    const std::string result = agent::run_tool(task);
    threadkeep::PutWrites writes{checkpoint.thread_id, "", checkpoint.checkpoint_id, {}};
    writes.writes.push_back({task, 0, "messages", "", "text", threadkeep::Bytes(result)});
    const threadkeep::Call call;
    co_await store.put_writes(writes, call, asio::use_awaitable);
    found += result + "; ";
  }
  co_return found;
}

asio::awaitable<std::string> converse(Checkpointer store, std::string thread_id,
                                      std::vector<std::string> texts) {
  threadkeep::CheckpointIds ids;
  threadkeep::PutCheckpoint checkpoint;
  checkpoint.thread_id = thread_id;
  json messages = json::array();
  int version = 0;
  const threadkeep::CheckpointQuery query{thread_id, "", {}, {}};
  const threadkeep::Call call;
  const auto latest = co_await store.get(query, call, asio::use_awaitable);
  if (latest) {
    checkpoint.checkpoint_id = latest->checkpoint_id;
    messages = json::parse(latest->values.front().data.view());
    version = json::parse(latest->document)["channel_versions"]["messages"];
  }
  std::string answer;
  const auto next_checkpoint = [&] {
    if (!checkpoint.checkpoint_id.empty()) {
      checkpoint.parent_checkpoint_id = checkpoint.checkpoint_id;
    }
    checkpoint.checkpoint_id = ids.next();
  };
  for (const std::string& text : texts) {
    messages.push_back(agent::message("user", text));
    for (answer.clear(); answer.empty();) {
      next_checkpoint();
      co_await commit(store, checkpoint, messages, ++version);
      const agent::Step step = agent::decide(messages);
      if (step.tasks.empty()) {
        answer = step.answer;
        messages.push_back(agent::message("assistant", answer));
      } else {
        const std::string found = co_await run_tools(store, checkpoint, step.tasks);
        messages.push_back(agent::message("tool", found));
      }
    }
    next_checkpoint();
    co_await commit(store, checkpoint, messages, ++version);
  }
  co_return answer;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "sqlite:agent.db";
  const int agents = argc > 2 ? std::stoi(argv[2]) : 8;
  const std::vector<std::string> texts = {"Hello, my name is Ada", "How is the weather?",
                                          "What is my name?"};
  try {
    asio::io_context io;
    Checkpointer store(threadkeep::open(url), io.get_executor());
    std::vector<std::future<std::string>> answers;
    for (int i = 0; i < agents; ++i) {
      auto conversation = converse(store, "async-" + std::to_string(i), texts);
      answers.push_back(asio::co_spawn(io, std::move(conversation), asio::use_future));
    }
    io.run();
    for (auto& answer : answers) std::cout << answer.get() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "agent_async: " << error.what() << "\n";
    return 1;
  }
}
