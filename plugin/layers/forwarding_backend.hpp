// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "threadkeep/backend.hpp"

namespace threadkeep {

/// A backend that hands every call to another, which it owns. Layers override what they change.
class ForwardingBackend : public Backend {
 public:
  explicit ForwardingBackend(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    return inner_->apply(batch, call);
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return inner_->get(query, call);
  }
  std::optional<std::string> head(const CheckpointQuery& query, const Call& call) override {
    return inner_->head(query, call);
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return inner_->list(query, call);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return inner_->history(query, call);
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return inner_->threads(query, call);
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return inner_->thread(query, call);
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    return inner_->loose_writes(query, call);
  }
  Page<Message> messages(const MessageList& query, const Call& call) override {
    return inner_->messages(query, call);
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return inner_->message(query, call);
  }
  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    return inner_->count_messages(query, call);
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return inner_->state(query, call);
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return inner_->states(query, call);
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    return inner_->streams(query, call);
  }
  Capabilities capabilities() const override { return inner_->capabilities(); }
  Health ping(const Call& call) override { return inner_->ping(call); }
  std::vector<Finding> examine(const Call& call) override { return inner_->examine(call); }
  StoreStats stats(const StatsQuery& query, const Call& call) override {
    return inner_->stats(query, call);
  }
  void setup(const Call& call) override { inner_->setup(call); }
  std::string setup_script(SetupRole role, std::string_view grantee) const override {
    return inner_->setup_script(role, grantee);
  }
  SqlHost* sql() override { return inner_->sql(); }
  retention::Host* retention() override { return inner_->retention(); }
  Journal* journal() override { return inner_->journal(); }
  ValueCache* cache() override { return inner_->cache(); }

 protected:
  Backend& inner() noexcept { return *inner_; }
  const Backend& inner() const noexcept { return *inner_; }

 private:
  std::unique_ptr<Backend> inner_;
};

}  // namespace threadkeep
