// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <utility>

#include "reads.hpp"
#include "script_call.hpp"
#include "threadkeep/backend_support.hpp"
#include "values.hpp"

namespace threadkeep::redis {

namespace {

// What one call of the script may visit and return.
constexpr const char* most_ancestors = "256";
constexpr const char* most_bytes = "1048576";

/// One answer to a history, put together from several calls of the script where it is long.
class Walk {
 public:
  Walk(const Reader& reader, const HistoryQuery& query) : reader_(reader), query_(query) {
    for (const std::string& channel : query.channels) histories_.push_back({channel, {}, {}, {}});
  }

  /// False when the thread has changed meanwhile: the walk begins again.
  bool run() {
    std::string at = query_.checkpoint_id.value_or("");
    bool from_parent = true;
    std::optional<std::string> generation;
    do {
      const Reply found = read(at, from_parent);
      if (generation && *generation != found[0].view()) return false;
      generation = found[0].text();
      at = found[1].text();
      for (std::size_t i = 2; i < found.size(); ++i) {
        if (!take(found[i])) return true;
      }
      from_parent = false;
    } while (!at.empty());
    return true;
  }

  std::vector<ChannelHistory> take_histories() { return std::move(histories_); }

 private:
  static bool is_complete(const ChannelHistory& history) {
    return history.seed || history.inline_seed;
  }

  Reply read(const std::string& at, bool from_parent) const {
    ScriptCall call{{reader_.settings.prefix, query_.thread_id},
                    {query_.thread_id, std::to_string(reader_.settings.ttl.count()),
                     query_.checkpoint_ns, at, from_parent ? "1" : "", most_ancestors, most_bytes}};
    for (const ChannelHistory& history : histories_) {
      if (!is_complete(history)) call.arguments.push_back(history.channel);
    }
    return call_script(reader_.connection, scripts::history, {call}, reader_.call).front();
  }

  // An ancestor: id, content or nothing, channels with versions and values, fields and values of
  // writes. False where the parents go in a circle.
  bool take(const Reply& ancestor) {
    const std::string id = ancestor[0].text();
    if (id == query_.checkpoint_id || !seen_.insert(id).second) return false;
    std::vector<PendingWrite> writes;
    for (std::size_t i = 0; i + 1 < ancestor[3].size(); i += 2) {
      writes.push_back(to_write(ancestor[3][i].view(), ancestor[3][i + 1]));
    }
    sort_writes(writes);
    const auto content = ancestor[1].view();
    const DocumentChannels document =
        content.empty() ? DocumentChannels() : read_document(decode_content(content).document);
    for (ChannelHistory& history : histories_) {
      if (is_complete(history)) continue;
      add_writes(writes, history);
      find_seed(ancestor[2], document, history);
    }
    return true;
  }

  // Newest ancestor first, so each one's writes go before those found so far.
  static void add_writes(const std::vector<PendingWrite>& writes, ChannelHistory& history) {
    std::vector<PendingWrite> older;
    std::copy_if(writes.begin(), writes.end(), std::back_inserter(older),
                 [&](const PendingWrite& write) { return write.channel == history.channel; });
    history.writes.insert(history.writes.begin(), older.begin(), older.end());
  }

  static void find_seed(const Reply& values, const DocumentChannels& document,
                        ChannelHistory& history) {
    for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
      if (values[i].view() == history.channel) {
        history.seed = to_blob(history.channel, values[i + 1].view(), values[i + 2]);
      }
    }
    if (history.seed) return;
    for (const auto& [channel, value] : document.inline_values) {
      if (channel == history.channel) history.inline_seed = value;
    }
  }

  const Reader& reader_;
  const HistoryQuery& query_;
  std::vector<ChannelHistory> histories_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<ChannelHistory> history(const Reader& reader, const HistoryQuery& query) {
  for (;;) {
    Walk walk(reader, query);
    if (walk.run()) return walk.take_histories();
  }
}

}  // namespace threadkeep::redis
