// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/store.hpp"

#include "fork_guard.hpp"
#include "scheduler.hpp"
#include "threadkeep/ids.hpp"
#include "validation.hpp"

namespace threadkeep {

class Store::Impl {
 public:
  Impl(Store& store, std::unique_ptr<Backend> opened, StoreOptions options)
      : backend(std::move(opened)),
        capabilities(backend->capabilities()),
        scheduler(store, *backend, std::move(options)) {}

  // Runs a read at the door: the process, the query and the call are checked, and an error says
  // what was being done.
  template <class Query, class Function>
  auto read(std::string_view operation, const Query& query, const Call& call, Function function) {
    try {
      guard.check();
      validate(query);
      check_call(call);
      return function(*backend);
    } catch (const Error& error) {
      throw error.during(operation);
    }
  }

  // As read, for messages and state.
  template <class Query, class Function>
  auto read_session(std::string_view operation, const Query& query, const Call& call,
                    Function function) {
    return read(operation, query, call, [&](Backend& b) {
      if (!capabilities.sessions) throw no_sessions(capabilities);
      return function(b);
    });
  }

  static void check_call(const Call& call) {
    if (call.stop.stop_requested()) throw Error(Code::cancelled, "nothing was done");
    if (call.deadline.passed()) throw Error(Code::timeout, "nothing was done");
  }

  // Empty when the mutation may go on to the backend.
  std::optional<Error> refusal(Mutation& mutation, const Call& call) {
    try {
      guard.check();
      if (is_session(mutation) && !capabilities.sessions) throw no_sessions(capabilities);
      complete(mutation, ids);
      validate(mutation, capabilities);
      check_call(call);
      return {};
    } catch (const Error& error) {
      return error.during(operation_name(mutation));
    }
  }

  ForkGuard guard;
  std::unique_ptr<Backend> backend;
  Capabilities capabilities;
  CheckpointIds ids;
  Scheduler scheduler;  // last: its threads use what is above
};

Store::Store(std::unique_ptr<Backend> backend, StoreOptions options)
    : impl_(std::make_unique<Impl>(*this, std::move(backend), std::move(options))) {}

Store::~Store() {
  // The threads did not follow into a forked child and locks may be held for ever: leave them be.
  if (impl_->guard.in_child()) static_cast<void>(impl_.release());
}

Written Store::write(Mutation mutation, const Call& call) {
  std::vector<Mutation> one;
  one.push_back(std::move(mutation));
  Outcome outcome = std::move(write_all(std::move(one), call).front());
  if (outcome.error) throw *outcome.error;
  return std::move(outcome.written);
}

std::vector<Outcome> Store::write_all(std::vector<Mutation> mutations, const Call& call) {
  std::vector<Outcome> outcomes(mutations.size());
  std::vector<Mutation> valid;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    outcomes[i].error = impl_->refusal(mutations[i], call);
    if (outcomes[i].error) continue;
    valid.push_back(std::move(mutations[i]));
    places.push_back(i);
  }
  if (valid.empty()) return outcomes;
  auto written = impl_->scheduler.write(std::move(valid), call);
  for (std::size_t i = 0; i < written.size(); ++i) outcomes[places[i]] = std::move(written[i]);
  return outcomes;
}

std::optional<CheckpointTuple> Store::get(const CheckpointQuery& query, const Call& call) {
  return impl_->read("get", query, call, [&](Backend& b) { return b.get(query, call); });
}

Page<CheckpointTuple> Store::list(const CheckpointList& query, const Call& call) {
  return impl_->read("list", query, call, [&](Backend& b) { return b.list(query, call); });
}

std::vector<ChannelHistory> Store::history(const HistoryQuery& query, const Call& call) {
  return impl_->read("history", query, call, [&](Backend& b) { return b.history(query, call); });
}

Page<ThreadInfo> Store::threads(const ThreadList& query, const Call& call) {
  return impl_->read("threads", query, call, [&](Backend& b) { return b.threads(query, call); });
}

std::vector<PutWrites> Store::loose_writes(const LooseWritesQuery& query, const Call& call) {
  return impl_->read("loose_writes", query, call,
                     [&](Backend& b) { return b.loose_writes(query, call); });
}

Page<Message> Store::messages(const MessageList& query, const Call& call) {
  return impl_->read_session("messages", query, call,
                             [&](Backend& b) { return b.messages(query, call); });
}

std::optional<Message> Store::message(const MessageQuery& query, const Call& call) {
  return impl_->read_session("message", query, call,
                             [&](Backend& b) { return b.message(query, call); });
}

std::uint64_t Store::count_messages(const MessageList& query, const Call& call) {
  return impl_->read_session("count_messages", query, call,
                             [&](Backend& b) { return b.count_messages(query, call); });
}

std::optional<StateDocument> Store::state(const StateQuery& query, const Call& call) {
  return impl_->read_session("state", query, call,
                             [&](Backend& b) { return b.state(query, call); });
}

Page<StateDocument> Store::states(const StateList& query, const Call& call) {
  return impl_->read_session("states", query, call,
                             [&](Backend& b) { return b.states(query, call); });
}

std::optional<ThreadInfo> Store::thread(const ThreadQuery& query, const Call& call) {
  return impl_->read("thread", query, call, [&](Backend& b) { return b.thread(query, call); });
}

std::vector<std::string> Store::streams(const ThreadQuery& query, const Call& call) {
  return impl_->read_session("streams", query, call,
                             [&](Backend& b) { return b.streams(query, call); });
}

StoreStats Store::stats(const StatsQuery& query, const Call& call) {
  try {
    impl_->guard.check();
    Impl::check_call(call);
    return impl_->backend->stats(query, call);
  } catch (const Error& error) {
    throw error.during("stats");
  }
}

Capabilities Store::capabilities() const {
  return impl_->capabilities;
}

Health Store::ping(const Call& call) {
  impl_->guard.check();
  return impl_->backend->ping(call);
}

std::vector<Finding> Store::examine(const Call& call) {
  impl_->guard.check();
  return impl_->backend->examine(call);
}

void Store::setup(const Call& call) {
  try {
    impl_->guard.check();
    Impl::check_call(call);
    impl_->backend->setup(call);
  } catch (const Error& error) {
    throw error.during("setup");
  }
}

std::string Store::setup_script(SetupRole role, const std::string& grantee) const {
  try {
    return impl_->backend->setup_script(role, grantee);
  } catch (const Error& error) {
    throw error.during("setup_script");
  }
}

SqlHost* Store::sql() {
  return impl_->backend->sql();
}

retention::Host* Store::retention() {
  return impl_->backend->retention();
}

void Store::submit(Mutation mutation, const Call& call, std::unique_ptr<WriteTask> task) {
  if (auto error = impl_->refusal(mutation, call)) {
    task->done({{}, std::move(error)});
  } else {
    impl_->scheduler.submit(std::move(mutation), call, std::move(task));
  }
}

void Store::submit(std::string thread_id, const Call& call, std::unique_ptr<ReadTask> task) {
  try {
    impl_->guard.check();
  } catch (const Error& error) {
    task->refuse(error);
    return;
  }
  impl_->scheduler.submit(std::move(thread_id), call, std::move(task));
}

}  // namespace threadkeep
