// SPDX-License-Identifier: Apache-2.0
#include "layers/tiered.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include "findings.hpp"
#include "hash.hpp"

namespace threadkeep {

namespace {

std::unique_ptr<Backend> checked(std::unique_ptr<Backend> hot) {
  if (hot->cache() != nullptr) return hot;
  throw Error(Code::invalid_argument, "hot: " + hot->capabilities().name +
                                          " stores keep no copies of others; use a redis: URL");
}

std::string prefix_of(const std::string& durable_name) {
  Hash hash;
  hash.add(durable_name);
  return std::to_string(hash.value()) + ":";
}

CheckpointQuery latest_of(const std::string& thread_id) {
  return {.thread_id = thread_id, .checkpoint_ns = "", .checkpoint_id = {}, .include = {}};
}

bool is_cached(const CheckpointQuery& query) {
  return !query.checkpoint_id && query.checkpoint_ns.empty() && query.include.values &&
         query.include.writes;
}

// The thread whose latest checkpoint in the root namespace the mutation may change.
const std::string* changed_thread(const Mutation& mutation) {
  return std::visit(
      [](const auto& m) -> const std::string* {
        using M = std::decay_t<decltype(m)>;
        if constexpr (std::is_same_v<M, PutCheckpoint> || std::is_same_v<M, PutWrites>) {
          return m.checkpoint_ns.empty() ? &m.thread_id : nullptr;
        } else if constexpr (std::is_same_v<M, DeleteThread> || std::is_same_v<M, Prune>) {
          return &m.thread_id;
        } else if constexpr (std::is_same_v<M, CopyThread>) {
          return &m.target_thread_id;
        } else {
          return nullptr;
        }
      },
      mutation);
}

// A version begins with where it is from: a run of a server, and a table of it.
std::string_view place_of(std::string_view version) {
  const auto table = version.find(' ');
  return table == version.npos ? version : version.substr(0, version.find(' ', table + 1));
}

bool is_conflict(const Outcome& outcome) {
  return outcome.error && outcome.error->code() == Code::conflict;
}

}  // namespace

/// The threads that a batch changes, while it is under way.
class TieredBackend::Writes {
 public:
  Writes(TieredBackend& store, std::span<const Mutation> batch) : store_(store) {
    for (const Mutation& mutation : batch) {
      if (const auto* thread_id = changed_thread(mutation)) threads_.insert(*thread_id);
    }
    for (const auto& thread_id : threads_) store_.refresher_->begin(thread_id);
  }
  Writes(const Writes&) = delete;
  Writes& operator=(const Writes&) = delete;
  ~Writes() {
    for (const auto& thread_id : threads_) store_.refresher_->end(thread_id, false);
  }

  /// What is deleted, or turned out to be old, must not be found any more by others either.
  void finish(std::span<const Mutation> batch, const std::vector<Outcome>& outcomes,
              const Call& call) {
    std::set<std::string> gone;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const bool deleted = std::holds_alternative<DeleteThread>(batch[i]);
      const auto* thread_id = changed_thread(batch[i]);
      if (thread_id && (deleted || is_conflict(outcomes[i]))) gone.insert(*thread_id);
    }
    for (const auto& thread_id : threads_) {
      const bool waits = store_.refresher_->end(thread_id, gone.contains(thread_id));
      if (!waits || gone.contains(thread_id)) store_.hot_.erase(store_.key_of(thread_id), call);
    }
    threads_.clear();
  }

 private:
  TieredBackend& store_;
  std::set<std::string> threads_;
};

TieredBackend::TieredBackend(std::unique_ptr<Backend> durable, std::unique_ptr<Backend> hot,
                             const TieredOptions& options)
    : ForwardingBackend(std::move(durable)),
      options_(options),
      hot_(checked(std::move(hot)), options.hot_timeout, *options.metrics),
      hits_(reads("hit")),
      misses_(reads("miss")),
      stale_(reads("stale")),
      bypassed_(reads("bypassed")),
      refresher_(std::make_unique<Refresher>(
          [this](const std::string& thread_id, const std::optional<VersionedTuple>& found,
                 const Call& call) { return copy(thread_id, found, call); },
          options.refresh)) {}

// In a forked child the worker is the parent's.
TieredBackend::~TieredBackend() {
  if (fork_guard_.in_child()) static_cast<void>(refresher_.release());
}

Counter& TieredBackend::reads(const char* result) const {
  return options_.metrics->counter("threadkeep_tiered_reads_total",
                                   "Reads of the latest checkpoint from a tiered store.",
                                   {{"result", result}});
}

std::string TieredBackend::key_of(const std::string& thread_id) const {
  return prefix_of(options_.durable_name) + thread_id;
}

std::vector<Outcome> TieredBackend::apply(std::span<const Mutation> batch, const Call& call) {
  fork_guard_.check();
  Writes writes(*this, batch);
  auto outcomes = options_.check == TieredCheck::put ? apply_demanding(batch, call)
                                                     : inner().apply(batch, call);
  writes.finish(batch, outcomes, call);
  return outcomes;
}

std::vector<Outcome> TieredBackend::apply_demanding(std::span<const Mutation> batch,
                                                    const Call& call) {
  std::vector<Mutation> demanding(batch.begin(), batch.end());
  for (Mutation& mutation : demanding) {
    if (auto* put = std::get_if<PutCheckpoint>(&mutation)) put->require_latest_parent = true;
  }
  return inner().apply(demanding, call);
}

std::optional<CheckpointTuple> TieredBackend::get(const CheckpointQuery& query, const Call& call) {
  fork_guard_.check();
  if (!is_cached(query)) return inner().get(query, call);
  if (refresher_->is_waiting(query.thread_id)) {
    bypassed_.add();
    return inner().get(query, call);
  }
  return get_cached(query, call);
}

std::optional<CheckpointTuple> TieredBackend::get_cached(const CheckpointQuery& query,
                                                         const Call& call) {
  auto found = hot_.get(key_of(query.thread_id), call);
  if (!found.answered) {
    bypassed_.add();
    return inner().get(query, call);
  }
  auto entry = found.value ? decode_tuple(*found.value) : std::nullopt;
  if (entry && entry->tuple.thread_id != query.thread_id) entry.reset();
  if (entry && options_.check == TieredCheck::put && is_from_here(entry->version)) {
    hits_.add();
    return std::move(entry->tuple);
  }
  const auto version = look(query, call);
  if (entry && version == entry->version) {
    hits_.add();
    return std::move(entry->tuple);
  }
  (entry ? stale_ : misses_).add();
  return get_durable(query, version, call);
}

std::optional<std::string> TieredBackend::look(const CheckpointQuery& query, const Call& call) {
  auto version = inner().head(query, call);
  if (version) {
    const std::lock_guard lock(place_mutex_);
    place_ = place_of(*version);
  }
  return version;
}

// One URL may lead two machines to different databases, "postgresql:///app" say, while they share a
// hot store. Before it has looked once, a store knows no place.
bool TieredBackend::is_from_here(const std::string& version) const {
  const std::lock_guard lock(place_mutex_);
  return !place_.empty() && place_ == place_of(version);
}

// With the version of before; see copy_checked.
std::optional<CheckpointTuple> TieredBackend::get_durable(const CheckpointQuery& query,
                                                          const std::optional<std::string>& version,
                                                          const Call& call) {
  auto tuple = inner().get(query, call);
  if (tuple && version) refresher_->offer({*version, *tuple});
  return tuple;
}

bool TieredBackend::copy(const std::string& thread_id, const std::optional<VersionedTuple>& found,
                         const Call& call) {
  // An old entry does no harm where every read is checked.
  const bool may_give_up = options_.check == TieredCheck::head;
  try {
    return copy_checked(thread_id, found, call) || may_give_up;
  } catch (const Error&) {
    return may_give_up;
  } catch (const std::bad_alloc&) {
    return may_give_up;
  }
}

// The version is read before the content: one that is written in between makes an entry with the
// version of before, which never comes again, so that the entry is never taken for another state.
// Where reads are not checked there is a last look, after the entry was set: another store may have
// set a newer one in the meantime, which this one replaced; whoever comes after the look will
// replace this one.
bool TieredBackend::copy_checked(const std::string& thread_id, std::optional<VersionedTuple> found,
                                 const Call& call) {
  const CheckpointQuery query = latest_of(thread_id);
  const std::string key = key_of(thread_id);
  if (!found) {
    const auto version = look(query, call);
    if (!version) return hot_.erase(key, call);
    auto tuple = inner().get(query, call);
    if (!tuple) return false;
    found = VersionedTuple{*version, std::move(*tuple)};
  }
  const Bytes value = encode_tuple(*found);
  if (value.size() > hot_.max_value_bytes()) return hot_.erase(key, call);
  if (!hot_.set(key, value, options_.keep, call)) return false;
  if (options_.check == TieredCheck::head) return true;
  if (inner().head(query, call) == found->version) return true;
  return hot_.erase(key, call) && false;
}

Capabilities TieredBackend::capabilities() const {
  auto capabilities = inner().capabilities();
  capabilities.name = "tiered";
  return capabilities;
}

Health TieredBackend::ping(const Call& call) {
  Health health = inner().ping(call);
  const Health hot = hot_.ping(call);
  health.degraded = health.degraded || !hot.ok;
  health.detail += hot.ok ? "; hot: " : "; the hot store fails, so nothing is read from it: ";
  health.detail += hot.detail;
  return health;
}

std::vector<Finding> TieredBackend::examine(const Call& call) {
  auto findings = inner().examine(call);
  const Health hot = hot_.ping(call);
  findings.push_back(hot.ok
                         ? good("hot store", hot.detail)
                         : warning("hot store",
                                   "it fails, so all is read from the durable store: " + hot.detail,
                                   "look at that server, and at the parameter 'hot' of the URL"));
  return findings;
}

}  // namespace threadkeep
