// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_backend.hpp"

namespace threadkeep {

namespace {

bool is_latest_whole(const CheckpointQuery& query) {
  return !query.checkpoint_id && query.include.values && query.include.writes;
}

}  // namespace

template <class Want, class Read>
auto FallbackLayer::read_here(FallbackLane& lane, Want want, const std::optional<Error>& cause,
                              Read read) {
  const Wanted wanted = want(lane.overlay);
  const Situation situation{.waits = lane.waits(),
                            .failed = cause.has_value(),
                            .takes_unknown = takes_unknown(),
                            .reach = lane.overlay.reach(),
                            .holds = wanted.holds,
                            .is_hollow = wanted.is_hollow};
  if (route_read(wanted.need, situation) != Route::here) {
    throw refusal(name_of(lane.overlay.scope()), situation, cause);
  }
  lane.was_read_here = true;
  return read(lane.overlay.store());
}

template <class Want, class Read>
auto FallbackLayer::read_lane(const StateScope& scope, Want want, const Call& call, Read read) {
  get_ready(call);
  if (const auto lane = parts_->cache.find(scope)) {
    const std::scoped_lock lock(lane->mutex);
    if (lane->waits()) return read_here(*lane, want, {}, read);
  }
  const Stopwatch watched(call);
  std::optional<Error> cause;
  try {
    return read(inner());
  } catch (const Error& error) {
    if (!is_outage(error, watched.times())) throw;
    cause = error;
  }
  parts_->watch.notice_outage(cause->what());
  const auto lane = parts_->cache.find_or_make(scope);
  const std::scoped_lock lock(lane->mutex);
  return read_here(*lane, want, cause, read);
}

template <class Read>
auto FallbackLayer::read_all(const Call& call, Read read) {
  get_ready(call);
  if (const auto entries = parts_->journal.known().entries) throw refusal_of_all(entries);
  const Stopwatch watched(call);
  try {
    return read(inner());
  } catch (const Error& error) {
    if (is_outage(error, watched.times())) {
      parts_->watch.notice_outage(error.what());
    }
    throw;
  }
}

// Who has seen a checkpoint is served no older one in an outage.
void FallbackLayer::note_seen(const std::string& thread_id, std::span<const CheckpointTuple> seen) {
  const auto lane = parts_->cache.find(StateScope::of_thread(thread_id));
  if (!lane) return;
  const std::scoped_lock lock(lane->mutex);
  if (lane->waits()) return;
  for (const CheckpointTuple& tuple : seen) {
    lane->overlay.note_seen(tuple.checkpoint_ns, tuple.checkpoint_id);
  }
  parts_->cache.account(*lane);
}

std::optional<CheckpointTuple> FallbackLayer::get(const CheckpointQuery& query, const Call& call) {
  const auto want = [&](const FallbackOverlay& overlay) -> Wanted {
    const std::string& ns = query.checkpoint_ns;
    if (!query.checkpoint_id) {
      return {Need::latest, overlay.holds(ns) && !overlay.was_empty(ns), overlay.is_hollow(ns)};
    }
    return {Need::checkpoint, overlay.holds(ns, *query.checkpoint_id), false};
  };
  const auto scope = StateScope::of_thread(query.thread_id);
  if (!is_latest_whole(query)) {
    return read_lane(scope, want, call, [&](Backend& b) {
      auto found = b.get(query, call);
      if (found && &b == &inner()) note_seen(query.thread_id, {&*found, 1});
      return found;
    });
  }
  get_ready(call);
  const auto lane = parts_->cache.find_or_make(scope);
  std::uint64_t ended = 0;
  const auto read = [&](Backend& b) {
    if (&b != &inner()) return b.get(query, call);
    {
      const std::scoped_lock lock(lane->mutex);
      ended = lane->writes_ended;
    }
    auto found = b.get(query, call);
    const std::scoped_lock lock(lane->mutex);
    // What the store shows is whole, whoever stored it.
    if (found) lane->aside.erase({found->checkpoint_ns, found->checkpoint_id});
    if (lane->waits() || lane->writes_ended != ended) return found;
    lane->was_read_here = false;
    lane->overlay.install(query.checkpoint_ns, found);
    parts_->cache.account(*lane);
    return found;
  };
  return read_lane(scope, want, call, read);
}

std::optional<std::string> FallbackLayer::head(const CheckpointQuery& query, const Call& call) {
  return read_of(query.thread_id, Need::primary, call,
                 [&](Backend& b) { return b.head(query, call); });
}

Page<CheckpointTuple> FallbackLayer::list(const CheckpointList& query, const Call& call) {
  const auto read = [&](Backend& b) {
    auto page = b.list(query, call);
    if (query.thread_id && &b == &inner()) note_seen(*query.thread_id, page.items);
    return page;
  };
  return query.thread_id ? read_of(*query.thread_id, Need::everything, call, read)
                         : read_all(call, read);
}

std::vector<ChannelHistory> FallbackLayer::history(const HistoryQuery& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.history(query, call); });
}

Page<ThreadInfo> FallbackLayer::threads(const ThreadList& query, const Call& call) {
  return read_all(call, [&](Backend& b) { return b.threads(query, call); });
}

StoreStats FallbackLayer::stats(const StatsQuery& query, const Call& call) {
  return read_all(call, [&](Backend& b) { return b.stats(query, call); });
}

std::optional<ThreadInfo> FallbackLayer::thread(const ThreadQuery& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.thread(query, call); });
}

std::vector<PutWrites> FallbackLayer::loose_writes(const LooseWritesQuery& query,
                                                   const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.loose_writes(query, call); });
}

Page<Message> FallbackLayer::messages(const MessageList& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.messages(query, call); });
}

std::optional<Message> FallbackLayer::message(const MessageQuery& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.message(query, call); });
}

std::uint64_t FallbackLayer::count_messages(const MessageList& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.count_messages(query, call); });
}

std::optional<StateDocument> FallbackLayer::state(const StateQuery& query, const Call& call) {
  return read_lane(query.scope, everything, call, [&](Backend& b) { return b.state(query, call); });
}

Page<StateDocument> FallbackLayer::states(const StateList& query, const Call& call) {
  return read_lane(query.scope, everything, call,
                   [&](Backend& b) { return b.states(query, call); });
}

std::vector<std::string> FallbackLayer::streams(const ThreadQuery& query, const Call& call) {
  return read_of(query.thread_id, Need::everything, call,
                 [&](Backend& b) { return b.streams(query, call); });
}

}  // namespace threadkeep
