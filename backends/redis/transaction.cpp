// SPDX-License-Identifier: Apache-2.0
#include "transaction.hpp"

#include <array>
#include <charconv>
#include <random>
#include <set>

#include "durability.hpp"
#include "error_map.hpp"
#include "parts.hpp"

namespace threadkeep::redis {

namespace {

using Arguments = std::vector<Argument>;

// EVAL with the text, or EVALSHA with its digest.
Arguments begin_script(const Script& script, const Keys& keys, bool whole_text) {
  return {whole_text ? "EVAL" : "EVALSHA",
          whole_text ? script.text : script.digest,
          "6",
          keys.thread,
          keys.index,
          keys.registry,
          keys.deadlines,
          keys.orders,
          keys.tombstones};
}

void add_script(Pipeline& pipeline, const Transaction& transaction, bool whole_text) {
  Arguments arguments = begin_script(*transaction.script, transaction.keys, whole_text);
  for (const Text& argument : transaction.arguments) arguments.push_back(argument.argument());
  pipeline.add(arguments);
}

// A script that the server does not know would fail inside EXEC, where the commands after it are
// carried out nevertheless. So the texts are sent here, and after an error decide() of head.lua
// keeps the values out.
void add_multi(Pipeline& pipeline, const Transaction& transaction) {
  pipeline.add({"MULTI"});
  add_script(pipeline, transaction, true);
  Arguments finish = begin_script(scripts::finish, transaction.keys, true);
  for (const NewValue& value : transaction.values) {
    pipeline.add({"HSETNX", transaction.keys.thread, value.field, value.value.argument()});
    finish.emplace_back(value.field);
  }
  pipeline.add(finish);
  pipeline.add({"EXEC"});
}

std::size_t commands_of(const Transaction& transaction) {
  return transaction.values.empty() ? 1 : transaction.values.size() + 4;
}

// Where EXEC was refused, the reason is the answer to a command before it.
Error reason_of_abort(std::span<const Reply> replies) {
  for (const Reply& reply : replies) {
    if (reply.is_error()) return make_error(reply.view());
  }
  return Error(Code::internal, "the server did not carry out a transaction and gave no reason");
}

void take_multi(std::span<const Reply> replies, Attempt& attempt) {
  const Reply& executed = replies.back();
  if (!executed.is_array()) throw reason_of_abort(replies);
  attempt.reply = checked(executed[0]);
  for (std::size_t i = 1; i < executed.size(); ++i) {
    attempt.stored += checked(executed[i]).integer();
  }
}

Attempt take(const Transaction& transaction, std::span<const Reply> replies) {
  Attempt attempt;
  try {
    if (transaction.values.empty()) {
      attempt.reply = checked(replies.front());
    } else {
      take_multi(replies, attempt);
    }
    static_cast<void>(attempt.verdict());  // An answer without one is an error here, too.
  } catch (const Error& error) {
    attempt.error = error;
  }
  return attempt;
}

// A command that was not sent whole cannot have been carried out.
Attempt lost(const Exchange& exchange, bool sent_whole) {
  Attempt attempt;
  attempt.error = exchange.failure;
  if (!sent_whole) return attempt;
  const bool late = exchange.failure->code() == Code::timeout;
  attempt.error =
      Error(Code::outcome_unknown, late ? "the deadline passed while it was under way"
                                        : exchange.failure->message() + " while it was under way");
  return attempt;
}

}  // namespace

std::string new_nonce() {
  thread_local std::mt19937_64 random{[] {
    std::random_device source;
    std::seed_seq seeds{source(), source(), source(), source()};
    return std::mt19937_64(seeds);
  }()};
  return sixteen_digits(random());
}

std::vector<Attempt> Writer::run(const std::vector<const Transaction*>& transactions,
                                 bool in_order) {
  auto attempts = send(transactions, false, in_order);
  std::vector<const Transaction*> again;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (!attempts[i].error || attempts[i].error->native() != "NOSCRIPT") continue;
    again.push_back(transactions[i]);
    places.push_back(i);
  }
  if (again.empty()) return attempts;
  auto second = send(again, true, in_order);
  for (std::size_t i = 0; i < again.size(); ++i) attempts[places[i]] = std::move(second[i]);
  return attempts;
}

Attempt Writer::run(const Transaction& transaction) {
  auto attempt = std::move(run({&transaction}, false).front());
  if (attempt.error) throw Error(*attempt.error);
  return attempt;
}

std::vector<Attempt> Writer::send(const std::vector<const Transaction*>& transactions,
                                  bool whole_text, bool in_order) {
  Pipeline pipeline;
  std::set<const Script*> known;  // when the order counts, after its first use in this pipeline
  std::size_t first_end = 0;
  for (const Transaction* transaction : transactions) {
    if (!transaction->values.empty()) {
      add_multi(pipeline, *transaction);
    } else {
      const bool first = known.insert(transaction->script).second;
      add_script(pipeline, *transaction, whole_text || (in_order && first));
    }
    if (first_end == 0) first_end = pipeline.size();
  }
  const std::size_t commands = pipeline.commands();
  add_confirmation(pipeline, settings_, connection_.server());
  const Exchange exchange = connection_.exchange(pipeline, call_, first_end);
  std::vector<Attempt> attempts;
  std::size_t at = 0;
  for (const Transaction* transaction : transactions) {
    const auto count = commands_of(*transaction);
    if (at + count <= exchange.replies.size()) {
      attempts.push_back(take(*transaction, std::span(exchange.replies).subspan(at, count)));
    } else {
      attempts.push_back(lost(exchange, pipeline.end_of(at + count - 1) <= exchange.sent));
    }
    at += count;
  }
  if (pipeline.commands() > commands) confirm(exchange, commands, attempts);
  return attempts;
}

// What was stored and not confirmed may be lost again.
void Writer::confirm(const Exchange& exchange, std::size_t commands,
                     std::vector<Attempt>& attempts) const {
  const bool answered = exchange.replies.size() > commands;
  const auto missing = answered ? unconfirmed(exchange.replies.back(), settings_)
                                : std::string("the connection was lost before it was confirmed");
  if (!missing) return;
  for (Attempt& attempt : attempts) {
    if (attempt.error) continue;
    attempt.error = Error(Code::outcome_unknown, "it is stored and may be lost again: " + *missing);
  }
}

}  // namespace threadkeep::redis
