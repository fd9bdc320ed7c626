// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "layers/forwarding_backend.hpp"

namespace threadkeep {

/// A layer that does the same around every read. `Layer` derives from it and has
///
///     template <class Read>  // Read(const Call&), what the layer gives back too
///     auto around(std::string_view operation, const Call& call, Read read);
///
/// Writes, whose errors come as outcomes, and what operators call are for the layer to override.
template <class Layer>
class CallLayer : public ForwardingBackend {
 public:
  using ForwardingBackend::ForwardingBackend;

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return read("get", call, [&](const Call& c) { return inner().get(query, c); });
  }
  std::optional<std::string> head(const CheckpointQuery& query, const Call& call) override {
    return read("head", call, [&](const Call& c) { return inner().head(query, c); });
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return read("list", call, [&](const Call& c) { return inner().list(query, c); });
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return read("history", call, [&](const Call& c) { return inner().history(query, c); });
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return read("threads", call, [&](const Call& c) { return inner().threads(query, c); });
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return read("thread", call, [&](const Call& c) { return inner().thread(query, c); });
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    return read("loose_writes", call,
                [&](const Call& c) { return inner().loose_writes(query, c); });
  }
  Page<Message> messages(const MessageList& query, const Call& call) override {
    return read("messages", call, [&](const Call& c) { return inner().messages(query, c); });
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return read("message", call, [&](const Call& c) { return inner().message(query, c); });
  }
  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    return read("count_messages", call,
                [&](const Call& c) { return inner().count_messages(query, c); });
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return read("state", call, [&](const Call& c) { return inner().state(query, c); });
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return read("states", call, [&](const Call& c) { return inner().states(query, c); });
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    return read("streams", call, [&](const Call& c) { return inner().streams(query, c); });
  }

 protected:
  using ForwardingBackend::inner;

 private:
  template <class Read>
  auto read(std::string_view operation, const Call& call, Read read) {
    return static_cast<Layer*>(this)->around(operation, call, read);
  }
};

}  // namespace threadkeep
