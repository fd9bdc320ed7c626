// SPDX-License-Identifier: Apache-2.0
#include "apply.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "mutations.hpp"
#include "overloaded.hpp"

namespace threadkeep::postgres {

namespace {

// Of one transaction, while others get in its way.
constexpr int most_attempts = 4;
constexpr std::chrono::milliseconds collision_pause{10};

using Members = std::vector<std::size_t>;  // places in the batch

// Reads before it decides, or spans threads: it stands alone in its transaction.
bool stands_alone(const Mutation& mutation) {
  return std::visit(
      Overloaded{[](const DeleteRuns&) { return true; }, [](const CopyThread&) { return true; },
                 [](const Prune&) { return true; }, [](const UpdateMessage&) { return true; },
                 [](const AppendMessages& m) { return needs_comparison(m.state); },
                 [](const ChangeState& m) { return needs_comparison(m.changes); },
                 [](const auto&) { return false; }},
      mutation);
}

// Members of one transaction each, in an order that keeps that of every thread.
std::vector<Members> divide(std::span<const Mutation> batch) {
  std::vector<Members> groups;
  bool open = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const bool alone = stands_alone(batch[i]);
    if (alone || !open) groups.emplace_back();
    groups.back().push_back(i);
    open = !alone;
  }
  return groups;
}

void want_locks(Locks& locks, const Mutation& mutation) {
  const auto want = [&](const std::string& thread_id, bool own) {
    own ? locks.own(thread_id) : locks.share(thread_id);
  };
  std::visit(Overloaded{[&](const PutCheckpoint& m) { want(m.thread_id, needs_thread_alone(m)); },
                        [&](const PutWrites& m) { want(m.thread_id, needs_thread_alone(m)); },
                        [&](const PutThread& m) { want(m.thread_id, false); },
                        [&](const DeleteThread& m) { want(m.thread_id, true); },
                        [&](const CopyThread& m) {
                          want(m.source_thread_id, false);
                          want(m.target_thread_id, true);
                        },
                        [&](const AppendMessages& m) { want(m.thread_id, true); },
                        [&](const RemoveMessages& m) { want(m.thread_id, true); },
                        [&](const PopMessages& m) { want(m.thread_id, true); },
                        [&](const ClearMessages& m) { want(m.thread_id, true); },
                        [&](const ChangeState& m) {
                          const auto& scope = m.scope;
                          scope.thread_id.empty() ? locks.own_name(scope.name)
                                                  : locks.own(scope.thread_id);
                        },
                        [](const auto&) {}},
             mutation);
}

Reading add(Pipeline& pipeline, const Writing& writing, const Mutation& mutation) {
  return std::visit(
      Overloaded{
          [&](const PutCheckpoint& m) { return add_put(pipeline, writing, m); },
          [&](const PutWrites& m) { return add_put_writes(pipeline, writing, m); },
          [&](const PutThread& m) { return add_put_thread(pipeline, writing, m); },
          [&](const DeleteThread& m) { return add_delete_thread(pipeline, writing, m); },
          [&](const CopyThread& m) { return add_copy_thread(pipeline, writing, m); },
          [&](const AppendMessages& m) { return add_append(pipeline, writing, m); },
          [&](const RemoveMessages& m) { return add_remove(pipeline, writing, m); },
          [&](const PopMessages& m) { return add_pop(pipeline, writing, m); },
          [&](const ClearMessages& m) { return add_clear(pipeline, writing, m); },
          [&](const ChangeState& m) { return add_change_state(pipeline, writing, m); },
          [](const auto&) -> Reading { throw Error(Code::internal, "not of one round trip"); }},
      mutation);
}

// Two transactions were in each other's way and the server ended this one; or a prepared statement
// is not what it was, and will not be used again.
bool may_succeed_again(const Error& error) {
  constexpr std::array<std::string_view, 5> states = {"40P01", "40001", "26000", "42P05", "0A000"};
  return std::find(states.begin(), states.end(), error.native()) != states.end();
}

// The server cannot tell whether two values are equal; see append.sql.
bool needs_comparison(const Error& error, const Mutation& mutation) {
  return is_session(mutation) && error.native() == "22P02";
}

// The call's own time is up. When the server's is (statement_timeout), that may be for one member.
bool ends_batch(const Error& error) {
  if (error.code() == Code::outcome_unknown) return true;
  return error.native().empty() &&
         (error.code() == Code::timeout || error.code() == Code::cancelled);
}

// For members that were not begun because of `error`.
Error not_begun(const Error& error, const Call& call) {
  if (error.code() != Code::outcome_unknown) return error;
  if (call.deadline.passed()) return Error(Code::timeout, "nothing was done");
  return Error(Code::unavailable, "the connection was lost before its turn; nothing was done");
}

// For a member that has committed a part of what it does.
Error of_a_part(const Error& error, const Written& done) {
  if (done.changed == 0) return error;
  const Code code = error.code() == Code::conflict ? Code::conflict : Code::outcome_unknown;
  return Error(code,
               error.message() + "; " + std::to_string(done.changed) +
                   " checkpoints were deleted before that, in other threads",
               error.native());
}

/// One call of apply.
class Application {
 public:
  Application(Database& database, std::span<const Mutation> batch, std::int64_t now,
              const Call& call)
      : database_(database), batch_(batch), now_(now), call_(call), outcomes_(batch.size()) {}

  std::vector<Outcome> carry_out() {
    connect();  // throws before anything was done
    for (const Members& members : divide(batch_)) carry_out(members);
    return std::move(outcomes_);
  }

 private:
  void connect() {
    if (lease_) return;
    lease_.emplace(database_.lease(call_));
    statements_ = database_.statements();
    schema_ = database_.layout()->schema;
  }

  // Together, and when that fails for a reason that may be one member's, one by one.
  void carry_out(const Members& members) {
    const auto error = ended_ ? std::optional(not_begun(*ended_, call_)) : try_together(members);
    if (!error) return;
    if (members.size() == 1 || ended_) return fail(members, *error);
    for (const std::size_t member : members) carry_out({member});
  }

  std::optional<Error> try_together(const Members& members) {
    compare_ = stands_alone(batch_[members.front()]);
    for (int attempt = 1;; ++attempt) {
      try {
        connect();
        together(members);
        return {};
      } catch (const std::bad_alloc&) {
        lease_.reset();
        return Error(Code::unavailable, "out of memory; nothing was done");
      } catch (const Error& error) {
        const bool lost = !lease_ || (*lease_)->broken();
        lease_.reset();  // which rolls back
        if (lost || ends_batch(error)) {
          ended_ = error;
        } else if (members.size() == 1 && !compare_ &&
                   needs_comparison(error, batch_[members.front()])) {
          compare_ = true;
          continue;
        } else if (may_succeed_again(error) && attempt < most_attempts) {
          // Lets the other one through, or both would begin the same again.
          std::this_thread::sleep_for(attempt * collision_pause);
          continue;
        }
        return error;
      }
    }
  }

  void together(const Members& members) {
    const Writing writing{statements_->write, statements_->session, schema_, now_};
    if (!compare_) return in_one_round_trip(members, writing);
    auto& written = outcomes_[members.front()].written;
    std::visit(
        Overloaded{
            [&](const DeleteRuns& m) { delete_runs(**lease_, writing, m, written, call_); },
            [&](const Prune& m) { written = prune(**lease_, writing, m, call_); },
            [&](const UpdateMessage& m) { written = update_message(**lease_, writing, m, call_); },
            [&](const AppendMessages& m) { written = compare_append(**lease_, writing, m, call_); },
            [&](const ChangeState& m) { written = compare_state(**lease_, writing, m, call_); },
            [&](const auto&) { in_one_round_trip(members, writing); }},
        batch_[members.front()]);
  }

  struct Part {
    std::size_t member = 0;
    std::size_t begin = 0;  // of its results
    std::size_t end = 0;
    Reading read;
  };

  void in_one_round_trip(Members members, const Writing& writing) {
    Locks locks(schema_);
    for (const std::size_t member : members) want_locks(locks, batch_[member]);
    Pipeline pipeline;
    // A pooler's sessions may give a transaction one snapshot, older than the wait for the locks.
    const bool own_session = !(*lease_)->pooled();
    if (!own_session) pipeline.add(writing.statements.begin);
    locks.take(pipeline, writing.statements);
    // Threads in one order, as rows are too: see puts.cpp.
    std::stable_sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
      return lane(batch_[a]) < lane(batch_[b]);
    });
    std::vector<Part> parts;
    for (const std::size_t member : members) {
      const std::size_t begin = pipeline.size();
      Reading read = add(pipeline, writing, batch_[member]);
      parts.push_back({member, begin, pipeline.size(), std::move(read)});
    }
    if (!own_session) pipeline.add(writing.statements.commit);
    const auto results = pipeline.run(**lease_, Effect::commit, call_);
    for (const Part& part : parts) settle(part, results);
  }

  void settle(const Part& part, std::span<const Result> results) {
    try {
      const auto own = results.subspan(part.begin, part.end - part.begin);
      outcomes_[part.member] = {part.read(own), {}};
    } catch (const Error& error) {
      fail({part.member}, error);
    } catch (const std::bad_alloc&) {
      fail({part.member}, Error(Code::outcome_unknown, "out of memory after the commit"));
    }
  }

  void fail(const Members& members, const Error& error) {
    for (const std::size_t member : members) {
      const Written done = std::exchange(outcomes_[member].written, {});
      outcomes_[member].error = of_a_part(error, done).during(operation_name(batch_[member]));
    }
  }

  Database& database_;
  const std::span<const Mutation> batch_;
  const std::int64_t now_;
  const Call& call_;
  std::vector<Outcome> outcomes_;
  std::optional<Lease> lease_;
  std::shared_ptr<const Statements> statements_;
  std::string schema_;
  bool compare_ = false;        // the transaction reads first
  std::optional<Error> ended_;  // why nothing further is begun
};

}  // namespace

std::vector<Outcome> apply(Database& database, std::span<const Mutation> batch, std::int64_t now,
                           const Call& call) {
  if (batch.empty()) return {};
  return Application(database, batch, now, call).carry_out();
}

}  // namespace threadkeep::postgres
