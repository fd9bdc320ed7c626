// SPDX-License-Identifier: Apache-2.0
#include "apply.hpp"

#include "mutations.hpp"
#include "overloaded.hpp"

namespace threadkeep::sqlite {

namespace {

Written carry_out(Connection& connection, const Mutation& mutation, std::int64_t now) {
  Connection& c = connection;
  return std::visit(Overloaded{[&](const PutCheckpoint& m) { return put(c, m, now); },
                               [&](const PutWrites& m) { return put_writes(c, m, now); },
                               [&](const PutThread& m) { return put_thread(c, m, now); },
                               [&](const DeleteThread& m) { return delete_thread(c, m, now); },
                               [&](const DeleteRuns& m) { return delete_runs(c, m, now); },
                               [&](const CopyThread& m) { return copy_thread(c, m, now); },
                               [&](const Prune& m) { return prune(c, m, now); },
                               [&](const AppendMessages& m) { return append(c, m, now); },
                               [&](const UpdateMessage& m) { return update_message(c, m, now); },
                               [&](const RemoveMessages& m) { return remove_messages(c, m, now); },
                               [&](const PopMessages& m) { return pop_messages(c, m, now); },
                               [&](const ClearMessages& m) { return clear_messages(c, m, now); },
                               [&](const ChangeState& m) { return change_state(c, m, now); }},
                    mutation);
}

Outcome failed(const Error& error, const Mutation& mutation) {
  return {{}, error.during(operation_name(mutation))};
}

// A mutation that fails is undone alone, unless it took the transaction with it (a full disk may)
// or the call's time is up: both end the batch.
Outcome attempt(Connection& connection, const Mutation& mutation, std::int64_t now) {
  try {
    return {carry_out(connection, mutation, now), {}};
  } catch (const Error& error) {
    if (!connection.in_transaction()) throw;
    connection.check_call();
    return failed(error, mutation);
  }
}

Outcome attempt_in_savepoint(Connection& connection, const Mutation& mutation, std::int64_t now) {
  connection.execute("SAVEPOINT member");
  Outcome outcome = attempt(connection, mutation, now);
  if (outcome.error) connection.execute("ROLLBACK TO member");
  connection.execute("RELEASE member");
  return outcome;
}

std::vector<Outcome> apply_together(Connection& connection, std::span<const Mutation> batch,
                                    std::int64_t now) {
  std::vector<Outcome> outcomes;
  connection.begin_write();
  for (const Mutation& mutation : batch) {
    outcomes.push_back(attempt_in_savepoint(connection, mutation, now));
  }
  connection.commit();
  return outcomes;
}

Outcome apply_alone(Connection& connection, const Mutation& mutation, std::int64_t now) {
  try {
    connection.begin_write();
    Outcome outcome{carry_out(connection, mutation, now), {}};
    connection.commit();
    return outcome;
  } catch (const Error& error) {
    connection.rollback();
    return failed(error, mutation);
  }
}

// Errors that one member of a batch can cause, so that the others deserve an attempt alone.
bool may_be_of_one_member(const Error& error) {
  switch (error.code()) {
    case Code::timeout:
    case Code::cancelled:
    case Code::outcome_unknown:
    case Code::denied:
      return false;
    case Code::unavailable:
      return !error.native().starts_with("SQLITE_BUSY");
    default:
      return true;
  }
}

}  // namespace

std::vector<Outcome> apply(Connection& connection, std::span<const Mutation> batch,
                           std::int64_t now) {
  if (batch.size() > 1) {
    try {
      return apply_together(connection, batch, now);
    } catch (const Error& error) {
      connection.rollback();
      if (!may_be_of_one_member(error)) throw;
    }
  }
  std::vector<Outcome> outcomes;
  for (const Mutation& mutation : batch) {
    outcomes.push_back(apply_alone(connection, mutation, now));
  }
  return outcomes;
}

}  // namespace threadkeep::sqlite
