// SPDX-License-Identifier: Apache-2.0
//
// An agent loop that keeps its thread in a store, with blocking calls.
//
//   agent [URL] [THREAD] MESSAGE...
//
// Run it again with the same URL and thread: it goes on where it was. If it is killed between two
// tasks of a super-step, the finished one is not repeated. Only the URL names the store.

#include <iostream>
#include <threadkeep/threadkeep.hpp>

#include "agent_model.hpp"

namespace {

using agent::json;

// [snippet conversation]
/// One thread of conversation. Its state is a single channel, `messages`.
class Conversation {
 public:
  Conversation(threadkeep::Checkpointer checkpointer, std::string thread_id)
      : checkpointer_(std::move(checkpointer)), thread_id_(std::move(thread_id)) {
    const auto latest = checkpointer_.get({thread_id_, "", {}, {}});
    if (!latest) return;
    checkpoint_id_ = latest->checkpoint_id;
    pending_ = latest->writes;
    version_ = json::parse(latest->document)["channel_versions"].value("messages", 0);
    if (!latest->values.empty()) messages_ = json::parse(latest->values.front().data.view());
  }

  /// Ends a super-step: stores the state as a new checkpoint.
  void commit(const std::string& source) {
    const std::string id = ids_.next();
    ++version_;
    checkpointer_.put({.thread_id = thread_id_,
                       .checkpoint_ns = "",
                       .checkpoint_id = id,
                       .parent_checkpoint_id = checkpoint_id_,
                       .document = json{{"channel_versions", {{"messages", version_}}}}.dump(),
                       .metadata = json{{"source", source}, {"step", version_}}.dump(),
                       .blobs = {{"messages", std::to_string(version_), "json",
                                  threadkeep::Bytes(messages_.dump())}},
                       .require_latest_parent = true});
    checkpoint_id_ = id;
    pending_.clear();
  }

  /// The result of a task of this super-step: kept from before a crash, or computed and stored now.
  std::string result_of(const std::string& task) {
    for (const auto& write : pending_) {
      if (write.task_id == task) return "(kept) " + std::string(write.data.view());
    }
    std::string result = agent::run_tool(task);
    checkpointer_.put_writes({thread_id_,
                              "",
                              checkpoint_id_.value(),
                              {{task, 0, "messages", "", "text", threadkeep::Bytes(result)}}});
    return result;
  }

  json& messages() { return messages_; }

  /// True when the process ended in the middle of a turn.
  bool unfinished() const {
    return !messages_.empty() && messages_.back().at("role") != "assistant";
  }

 private:
  threadkeep::Checkpointer checkpointer_;
  threadkeep::CheckpointIds ids_;
  std::string thread_id_;
  std::optional<std::string> checkpoint_id_;
  std::vector<threadkeep::PendingWrite> pending_;
  int version_ = 0;
  json messages_ = json::array();
};
// [/snippet conversation]

/// Runs super-steps until the agent answers.
std::string finish_turn(Conversation& conversation) {
  for (;;) {
    const agent::Step step = agent::decide(conversation.messages());
    if (step.tasks.empty()) {
      conversation.messages().push_back(agent::message("assistant", step.answer));
      conversation.commit("loop");
      return step.answer;
    }
    std::string found;
    for (const std::string& task : step.tasks) found += conversation.result_of(task) + "; ";
    conversation.messages().push_back(agent::message("tool", found));
    conversation.commit("loop");
  }
}

std::string ask(Conversation& conversation, const std::string& text) {
  conversation.messages().push_back(agent::message("user", text));
  conversation.commit("input");
  return finish_turn(conversation);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "sqlite:agent.db";
  const std::string thread = argc > 2 ? argv[2] : "example";
  std::vector<std::string> texts(argv + std::min(argc, 3), argv + argc);
  if (texts.empty()) texts = {"Hello, my name is Ada", "How is the weather?", "What is my name?"};
  try {
    Conversation conversation(threadkeep::Checkpointer(threadkeep::open(url)), thread);
    if (conversation.unfinished()) std::cout << "(resumed) " << finish_turn(conversation) << "\n";
    for (const std::string& text : texts) {
      std::cout << "> " << text << "\n" << ask(conversation, text) << "\n";
    }
  } catch (const threadkeep::Error& error) {
    std::cerr << "agent: " << error.what() << "\n";
    return 1;
  }
}
