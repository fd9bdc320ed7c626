// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "documents.hpp"
#include "overloaded.hpp"
#include "parts.hpp"
#include "session_layout.hpp"
#include "step.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::redis {

namespace {

/// What every mutation of messages or state says first.
Transaction begin(const Script& script, const StateScope& scope, const Settings& settings,
                  std::int64_t now) {
  Transaction out(script, {settings.prefix, scope});
  const bool named = scope.thread_id.empty();
  out.arguments = {scope.thread_id, std::to_string(named ? 0 : settings.ttl.count()),
                   std::to_string(now), new_nonce()};
  return out;
}

/// A message as lua/sessions/change.lua takes it.
struct MessageChange {
  std::string id;
  std::optional<Message> stored = {};  ///< As far as it is known.
  std::string digest = {};             ///< Of it.
  std::optional<Message> outcome = {};

  void tell(const Reply& found) {
    stored.reset();
    digest.clear();
    if (found.is_nil()) return;
    stored = decode_message(found[0].view(), found[1].view());
    digest = found[2].text();
  }

  void add_arguments(Transaction& out) const {
    const auto& record = outcome ? outcome : stored;
    out.arguments.emplace_back(id);
    out.arguments.emplace_back(digest);
    out.arguments.emplace_back(outcome ? encode_message(*outcome) : "");
    out.arguments.emplace_back(record ? encode_message(key_of(*record)) : "");
  }
};

/// The first message that has the id of one before it and other content; null when there is none.
const NewMessage* find_other_twin(const AppendMessages& append) {
  std::map<std::string_view, const NewMessage*> seen;
  for (const NewMessage& message : append.messages) {
    const auto [first, is_new] = seen.try_emplace(message.id, &message);
    if (is_new) continue;
    const NewMessage& twin = *first->second;
    const bool equal = twin.role == message.role && json_equal(twin.content, message.content) &&
                       json_equal(twin.metadata, message.metadata);
    if (!equal) return &message;
  }
  return nullptr;
}

class AppendStep final : public Step {
 public:
  AppendStep(const AppendMessages& append, const Settings& settings, std::int64_t now)
      : append_(append),
        settings_(settings),
        now_(now),
        fingerprint_(sixteen_digits(append.operation_id.empty() ? 0 : fingerprint(append))),
        documents_(append.state),
        twin_(find_other_twin(append)),
        look_(twin_ != nullptr) {
    for (const NewMessage& message : append.messages) {
      messages_.push_back({.id = message.id});
      messages_.back().outcome = made_of(message);
    }
    try {
      documents_.decide();
    } catch (const Error&) {
      look_ = true;  // It is no conflict before the server has told what is there.
    }
  }

  Transaction transaction() const override {
    auto out = begin(scripts::change, StateScope::of_thread(append_.thread_id), settings_, now_);
    const auto& demanded = append_.expected_revision;
    out.arguments.insert(out.arguments.end(), {append_.stream, append_.operation_id, fingerprint_,
                                               demanded ? std::to_string(*demanded) : "",
                                               look_ ? "1" : "", std::to_string(messages_.size())});
    for (const MessageChange& message : messages_) message.add_arguments(out);
    documents_.add_arguments(out);
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    const auto verdict = attempt.verdict();
    if (verdict == "ok") return decode_record(attempt.reply[1].view());
    if (verdict == "reused") throw reused_operation(append_.operation_id);
    if (verdict == "revision") check_revision(append_, attempt.number(1));
    look_ = false;
    documents_.tell(attempt.reply[3]);
    if (take_messages(attempt.reply[2])) return kept(attempt.number(1));
    check_revision(append_, attempt.number(1));
    documents_.decide();
    return {};
  }

  bool may_repeat() const override { return true; }

 private:
  Message made_of(const NewMessage& message) const {
    return {.stream = append_.stream,
            .seq = 0,
            .id = message.id,
            .role = message.role,
            .content = message.content,
            .metadata = message.metadata,
            .created_at = now_,
            .version = 1};
  }

  // True when all are there.
  bool take_messages(const Reply& found) {
    bool all = true;
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      MessageChange& message = messages_[i];
      const NewMessage& wanted = append_.messages[i];
      message.tell(found[i]);
      if (message.stored && !is_same(*message.stored, append_.stream, wanted)) {
        throw reused_message(wanted.id);
      }
      all = all && message.stored;
      message.outcome.reset();
      if (!message.stored) message.outcome = made_of(wanted);
    }
    if (twin_) throw reused_message(twin_->id);
    return all;
  }

  Written kept(std::int64_t revision) const {
    Written written{.kept = messages_.size(), .revision = revision};
    for (const MessageChange& message : messages_) {
      written.messages.push_back(key_of(*message.stored));
    }
    documents_.keep(written);
    return written;
  }

  const AppendMessages& append_;
  const Settings& settings_;
  const std::int64_t now_;
  const std::string fingerprint_;
  std::vector<MessageChange> messages_;
  Documents documents_;
  const NewMessage* const twin_;
  bool look_;  // before anything is decided
};

class UpdateStep final : public Step {
 public:
  UpdateStep(const UpdateMessage& update, const Settings& settings, std::int64_t now)
      : update_(update), settings_(settings), now_(now), message_{.id = update.id} {}

  // At first the message is taken to be absent.
  Transaction transaction() const override {
    auto out = begin(scripts::change, StateScope::of_thread(update_.thread_id), settings_, now_);
    out.arguments.insert(out.arguments.end(), {"", "", sixteen_digits(0), "", "", "1"});
    message_.add_arguments(out);
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    if (attempt.verdict() == "ok") {
      Written written = decode_record(attempt.reply[1].view());
      return message_.stored ? written : dropped(written.revision);
    }
    message_.tell(attempt.reply[2][0]);
    if (!message_.stored) return dropped(attempt.number(1));
    message_.outcome = updated(*message_.stored, update_);
    if (message_.outcome) return {};
    return Written{
        .kept = 1, .messages = {key_of(*message_.stored)}, .revision = attempt.number(1)};
  }

  bool may_repeat() const override { return true; }

 private:
  Written dropped(std::int64_t revision) const {
    check_update_of_absent(update_);
    return {.dropped = 1, .revision = revision};
  }

  const UpdateMessage& update_;
  const Settings& settings_;
  const std::int64_t now_;
  MessageChange message_;
};

class ChangeStateStep final : public Step {
 public:
  ChangeStateStep(const ChangeState& change, const Settings& settings, std::int64_t now)
      : change_(change), settings_(settings), now_(now), documents_(change.changes) {
    try {
      documents_.decide();
    } catch (const Error&) {
      look_ = true;  // It is no conflict before the server has told what is there.
    }
  }

  Transaction transaction() const override {
    auto out = begin(scripts::change, change_.scope, settings_, now_);
    out.arguments.insert(out.arguments.end(),
                         {"", "", sixteen_digits(0), "", look_ ? "1" : "", "0"});
    documents_.add_arguments(out);
    return out;
  }

  std::optional<Written> finish(const Attempt& attempt) override {
    const bool of_thread = !change_.scope.thread_id.empty();
    if (attempt.verdict() == "ok") {
      Written written = decode_record(attempt.reply[1].view());
      if (!of_thread) written.revision = 0;
      return written;
    }
    look_ = false;
    documents_.tell(attempt.reply[3]);
    documents_.decide();
    if (documents_.any_changed()) return {};
    Written written{.revision = of_thread ? attempt.number(1) : 0};
    documents_.keep(written);
    return written;
  }

  bool may_repeat() const override { return true; }

 private:
  const ChangeState& change_;
  const Settings& settings_;
  const std::int64_t now_;
  Documents documents_;
  bool look_ = false;
};

// What a script carries out that knows all that it needs.
class SimpleStep final : public Step {
 public:
  SimpleStep(Transaction transaction, std::string operation_id)
      : transaction_(std::move(transaction)), operation_id_(std::move(operation_id)) {}

  Transaction transaction() const override { return transaction_; }
  std::optional<Written> finish(const Attempt& attempt) override {
    if (attempt.verdict() == "reused") throw reused_operation(operation_id_);
    return decode_record(attempt.reply[1].view());
  }

 private:
  const Transaction transaction_;
  const std::string operation_id_;
};

using Result = std::unique_ptr<Step>;

Result remove_step(const RemoveMessages& removal, const Settings& settings, std::int64_t now) {
  auto out = begin(scripts::remove, StateScope::of_thread(removal.thread_id), settings, now);
  out.arguments.insert(out.arguments.end(), removal.ids.begin(), removal.ids.end());
  return std::make_unique<SimpleStep>(std::move(out), "");
}

Result clear_step(const ClearMessages& clear, const Settings& settings, std::int64_t now) {
  auto out = begin(scripts::clear, StateScope::of_thread(clear.thread_id), settings, now);
  out.arguments.emplace_back(clear.stream ? "+" + *clear.stream : "-");
  return std::make_unique<SimpleStep>(std::move(out), "");
}

Result pop_step(const PopMessages& pop, const Settings& settings, std::int64_t now) {
  auto out = begin(scripts::pop, StateScope::of_thread(pop.thread_id), settings, now);
  out.arguments.insert(out.arguments.end(),
                       {pop.stream, pop.operation_id, sixteen_digits(fingerprint(pop)),
                        std::to_string(pop.count), std::to_string(max_pop_bytes)});
  return std::make_unique<SimpleStep>(std::move(out), pop.operation_id);
}

}  // namespace

std::unique_ptr<Step> make_session_step(const Mutation& mutation, const Settings& settings,
                                        std::int64_t now) {
  return std::visit(
      Overloaded{[&](const AppendMessages& m) -> Result {
                   return std::make_unique<AppendStep>(m, settings, now);
                 },
                 [&](const UpdateMessage& m) -> Result {
                   return std::make_unique<UpdateStep>(m, settings, now);
                 },
                 [&](const RemoveMessages& m) { return remove_step(m, settings, now); },
                 [&](const PopMessages& m) { return pop_step(m, settings, now); },
                 [&](const ClearMessages& m) { return clear_step(m, settings, now); },
                 [&](const ChangeState& m) -> Result {
                   return std::make_unique<ChangeStateStep>(m, settings, now);
                 },
                 [&](const auto&) -> Result { return nullptr; }},
      mutation);
}

}  // namespace threadkeep::redis
