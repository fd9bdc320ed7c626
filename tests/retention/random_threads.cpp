// SPDX-License-Identifier: Apache-2.0
#include "random_threads.hpp"

#include <cstdio>
#include <ctime>
#include <map>
#include <set>

#include "threadkeep/ids.hpp"

namespace threadkeep::retention_test {

namespace {

using retention::CheckpointFacts;
using retention::NamespaceFacts;

constexpr std::int64_t hour = 3'600'000'000;

enum class Clock { document, id, none };

/// Makes one thread, checkpoint by checkpoint.
class Maker {
 public:
  Maker(std::mt19937_64& random, int number, std::int64_t now) : random_(random), now_(now) {
    static const char* const names[] = {"mail-", "chat*", "t-"};
    thread_.facts.thread_id = names[below(3)] + std::to_string(number);
    clock_ = static_cast<Clock>(below(3));
    begun_ = now - static_cast<std::int64_t>(below(20 * 24)) * hour;
  }

  RandomThread make() {
    add_namespace("");
    if (chance(30)) add_namespace("child:1");
    if (chance(15)) add_namespace("child:1|deep:2");
    set_row();
    thread_.facts.pinned = chance(8);
    thread_.facts.held = chance(8);
    if (chance(15)) thread_.facts.expires_at = now_ + (chance(50) ? -hour : hour);
    return std::move(thread_);
  }

 private:
  struct Made {
    CheckpointFacts facts;
    std::map<std::string, std::string> versions;
    bool has_tasks = false;
    std::string tier;
  };

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }

  void add_namespace(const std::string& ns) {
    std::vector<Made> made;
    stored_.clear();
    delta_ = chance(30);
    time_ = begun_;
    for (std::size_t left = 1 + below(9); left > 0; --left) add_checkpoint(ns, made);
    NamespaceFacts space{ns, {}};
    for (Made& checkpoint : made) {
      auto& node = checkpoint.facts.node;
      for (const auto& [channel, version] : checkpoint.versions) {
        if (stored_.contains({channel, version})) node.valued_channels.insert(channel);
      }
      space.checkpoints.push_back(checkpoint.facts);
    }
    if (ns.empty()) latest_tier_ = made.back().tier;
    thread_.facts.namespaces.push_back(std::move(space));
  }

  std::string next_id() {
    ++count_;
    if (clock_ != Clock::id) {
      char text[16];
      std::snprintf(text, sizeof text, "%06d", count_);
      return text;
    }
    return CheckpointIds({[this] { return time_; }}).next();
  }

  const Made* choose_parent(const std::vector<Made>& made) {
    if (made.empty() || chance(4)) return nullptr;
    return chance(80) ? &made.back() : &made[below(made.size())];
  }

  void add_checkpoint(const std::string& ns, std::vector<Made>& made) {
    time_ += static_cast<std::int64_t>(1 + below(20)) * hour;
    const Made* parent = choose_parent(made);
    Made next;
    PutCheckpoint put{.thread_id = thread_.facts.thread_id,
                      .checkpoint_ns = ns,
                      .checkpoint_id = next_id(),
                      .parent_checkpoint_id = {},
                      .document = {},
                      .blobs = {}};
    next.facts.node.checkpoint_id = put.checkpoint_id;
    if (parent != nullptr) {
      next.versions = parent->versions;
      put.parent_checkpoint_id = parent->facts.node.checkpoint_id;
    } else if (chance(30)) {
      put.parent_checkpoint_id = "0-gone";
    }
    next.facts.node.parent_checkpoint_id = put.parent_checkpoint_id;
    const bool old_form = chance(20);
    next.facts.needs_parent = old_form && parent != nullptr && parent->has_tasks;
    change_channels(put, next);
    put.document = document(next, old_form);
    put.metadata = metadata(next);
    thread_.mutations.emplace_back(put);
    add_writes(put, next);
    if (clock_ != Clock::none) next.facts.time = time_;
    made.push_back(std::move(next));
  }

  void change_channels(PutCheckpoint& put, Made& next) {
    if (chance(25)) return;  // only the metadata is new
    for (const char* channel : {"a", "b", "c"}) {
      if (!chance(50)) continue;
      const std::string version = new_version(next, channel);
      if (chance(10)) {
        put.blobs.push_back({channel, version, empty_type, {}});
      } else {
        send(put, channel, version);
      }
    }
    if (!delta_) return;
    const std::string version = new_version(next, "d");
    if (chance(25)) send(put, "d", version);
  }

  std::string new_version(Made& next, const std::string& channel) {
    return next.versions[channel] = std::to_string(++version_) + ".5";
  }

  void send(PutCheckpoint& put, const std::string& channel, const std::string& version) {
    put.blobs.push_back({channel, version, "text", Bytes(channel + version + put.checkpoint_id)});
    stored_.insert({channel, version});
  }

  std::string document(const Made& next, bool old_form) {
    std::string text = std::string("{\"v\":") + (old_form ? "1" : "4") + ",\"channel_versions\":{";
    for (const auto& [channel, version] : next.versions) {
      text += (text.ends_with('{') ? "\"" : ",\"") + channel + "\":\"" + version + '"';
    }
    text += "},\"channel_values\":{\"n\":" + std::to_string(version_) + '}';
    if (clock_ == Clock::document) text += ",\"ts\":\"" + iso_time(time_) + '"';
    return text + '}';
  }

  std::string metadata(Made& next) {
    if (chance(40)) next.tier = chance(50) ? "vip" : "free";
    std::string text = "{\"step\":" + std::to_string(count_);
    if (!next.tier.empty()) text += ",\"tier\":\"" + next.tier + '"';
    if (delta_) {
      text += ",\"counters_since_delta_snapshot\":{\"d\":[1,1]}";
      next.facts.node.delta_channels = {"d"};
    }
    return text + '}';
  }

  void add_writes(const PutCheckpoint& put, Made& next) {
    PutWrites writes{put.thread_id, put.checkpoint_ns, put.checkpoint_id, {}};
    if (chance(50)) add_write(writes, 0, "a");
    next.facts.interrupted = chance(15);
    if (next.facts.interrupted) add_write(writes, -3, "__interrupt__");
    next.has_tasks = chance(30);
    if (next.has_tasks) add_write(writes, 1, "__pregel_tasks");
    if (!writes.writes.empty()) thread_.mutations.emplace_back(std::move(writes));
  }

  static void add_write(PutWrites& writes, int idx, const std::string& channel) {
    writes.writes.push_back({"task", idx, channel, "", "text", Bytes(channel + "!")});
  }

  // The thread's own row: metadata and times, unless nobody but LangGraph has seen it.
  void set_row() {
    std::string tier = latest_tier_;
    thread_.adopted = chance(40);
    if (!thread_.adopted) {
      if (chance(30)) {
        tier = chance(50) ? "vip" : "free";
        thread_.mutations.emplace_back(
            PutThread{thread_.facts.thread_id, "{\"tier\":\"" + tier + "\"}"});
      }
      thread_.facts.updated_at = begun_ + static_cast<std::int64_t>(below(200)) * hour;
      if (chance(50)) thread_.facts.created_at = begun_;
    }
    if (!tier.empty()) thread_.facts.metadata = "{\"tier\":\"" + tier + "\"}";
  }

  std::mt19937_64& random_;
  const std::int64_t now_;
  RandomThread thread_;
  Clock clock_;
  std::int64_t begun_;
  std::int64_t time_ = 0;
  bool delta_ = false;
  int count_ = 0;
  int version_ = 0;
  std::string latest_tier_;
  std::set<std::pair<std::string, std::string>> stored_;
};

}  // namespace

RandomThread make_random_thread(std::mt19937_64& random, int number, std::int64_t now) {
  return Maker(random, number, now).make();
}

std::string iso_time(std::int64_t microseconds) {
  const std::time_t seconds = microseconds / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%06d+00:00", date,
                static_cast<int>(microseconds % 1'000'000));
  return text;
}

}  // namespace threadkeep::retention_test
