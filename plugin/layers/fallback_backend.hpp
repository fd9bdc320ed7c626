// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fork_guard.hpp"
#include "layers/fallback_replay.hpp"
#include "layers/fallback_watch.hpp"
#include "layers/forwarding_backend.hpp"

namespace threadkeep {

/// Says how long a call of the primary took.
class Stopwatch {
 public:
  explicit Stopwatch(const Call& call) : deadline_(call.deadline) {}
  CallTimes times() const { return {began_, Deadline::Clock::now(), deadline_}; }

 private:
  const Deadline deadline_;
  const Deadline::Clock::time_point began_ = Deadline::Clock::now();
};

/// The layer itself: decides for each call whether the primary or what is here answers it, and
/// notes what the primary stored. Thread-safe. No lock is held over a call of the primary.
class FallbackLayer final : public ForwardingBackend {
 public:
  FallbackLayer(std::unique_ptr<Backend> primary, std::unique_ptr<Backend> journal,
                FallbackOptions options)
      : ForwardingBackend(std::move(primary)),
        parts_(std::make_unique<Parts>(inner(), std::move(journal), std::move(options))) {
    tell_what_is_configured();
    parts_->look_for_backlog();
  }

  // The threads and locks of a parent are not there in a forked child.
  ~FallbackLayer() override {
    if (guard_.in_child()) static_cast<void>(parts_.release());
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override;
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override;

  std::optional<std::string> head(const CheckpointQuery& query, const Call& call) override;
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override;
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override;
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override;
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override;
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override;
  Page<Message> messages(const MessageList& query, const Call& call) override;
  std::optional<Message> message(const MessageQuery& query, const Call& call) override;
  std::uint64_t count_messages(const MessageList& query, const Call& call) override;
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override;
  Page<StateDocument> states(const StateList& query, const Call& call) override;
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override;

  Health ping(const Call& call) override;
  std::vector<Finding> examine(const Call& call) override;
  StoreStats stats(const StatsQuery& query, const Call& call) override;
  void setup(const Call& call) override;
  Journal* journal() override { return nullptr; }

 private:
  // What a read needs, and whether that is here.
  struct Wanted {
    Need need = Need::everything;
    bool holds = false;
    bool is_hollow = false;
  };

  // A lane in the journal of an earlier process.
  struct Found {
    StateScope scope;
    std::optional<JournalPlace> base_entry;
    LaneBase base;
    std::vector<Waiting> waiting;

    void collect(std::vector<JournalPlace>& places);
  };

  struct Parts {
    Parts(Backend& primary, std::unique_ptr<Backend> store, FallbackOptions given)
        : options(std::move(given)),
          journal(std::move(store), options.journal_bytes, *metrics),
          cache(options.cache_bytes, options.open_memory),
          replay(primary, journal, cache, *metrics),
          watch(
              options, *metrics,
              [this, &primary](const Call& call) { return try_to_end(primary, call); },
              [this] { return count(); }) {}

    void get_ready(const Call& call);
    void load(const Call& call);
    void take(Found& found);
    void remember_set_aside(const Call& call);
    void look_for_backlog();
    FallbackWatch::Attempt try_to_end(Backend& primary, const Call& call);
    std::string describe() const;
    FallbackWatch::Counts count() const;

    const FallbackOptions options;
    const std::shared_ptr<Metrics> metrics = Metrics::process();
    FallbackJournal journal;
    FallbackCache cache;
    FallbackReplay replay;
    std::atomic<bool> owes_setup{false};
    bool told_of_replay = false;  // of the watch's thread
    std::mutex loading;
    std::atomic<bool> loaded{false};
    FallbackWatch watch;  // last: its thread uses the others
  };

  static Wanted everything(const FallbackOverlay&) { return {}; }

  void tell_what_is_configured() const;
  void get_ready(const Call& call);
  std::optional<std::string> journal_trouble(const Call& call);
  bool refuses_calls(const Call& call);
  bool takes_unknown() const {
    return parts_->options.unknown == FallbackOptions::UnknownThreads::allow;
  }
  std::set<std::string> look_at_lanes(std::span<const Mutation> batch,
                                      std::vector<Outcome>& outcomes, const Call& call);
  static bool goes_on_here(const FallbackLane& lane, const Mutation& mutation);
  std::vector<std::size_t> send(std::span<const Mutation> batch,
                                const std::vector<std::size_t>& places,
                                std::vector<Outcome>& outcomes, const Call& call);
  std::vector<std::size_t> failed_over(std::span<const Mutation> batch,
                                       const std::vector<std::size_t>& places,
                                       const std::vector<Outcome>& outcomes,
                                       const CallTimes& times);
  std::vector<Outcome> apply_there(std::span<const Mutation> batch,
                                   const std::vector<std::size_t>& places, const Call& call);
  std::shared_ptr<FallbackLane> lane_changed_by(const Mutation& mutation);
  void note_stored(const Mutation& mutation);
  void note_unknown(const Mutation& mutation);
  void note_seen(const std::string& thread_id, std::span<const CheckpointTuple> seen);
  void forget_all();
  std::vector<std::size_t> accept(std::span<const Mutation> batch,
                                  const std::vector<std::size_t>& places, bool failed,
                                  std::vector<Outcome>& outcomes, const Call& call);

  template <class Want, class Read>
  auto read_lane(const StateScope& scope, Want want, const Call& call, Read read);
  template <class Read>
  auto read_of(const std::string& thread_id, Need need, const Call& call, Read read) {
    return read_lane(
        StateScope::of_thread(thread_id),
        [need](const FallbackOverlay&) {
          return Wanted{need, false, false};
        },
        call, read);
  }
  template <class Read>
  auto read_all(const Call& call, Read read);
  template <class Want, class Read>
  auto read_here(FallbackLane& lane, Want want, const std::optional<Error>& cause, Read read);

  ForkGuard guard_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace threadkeep
