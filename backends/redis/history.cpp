// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
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

  std::vector<ChannelHistory> take_histories() {
    // They were found from the newest to the oldest.
    for (ChannelHistory& history : histories_) {
      std::reverse(history.writes.begin(), history.writes.end());
    }
    return std::move(histories_);
  }

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
    const auto writes = writes_of(ancestor[3]);
    const auto values = values_of(ancestor[2]);
    const auto inlined = inlined_of(ancestor[1]);
    for (ChannelHistory& history : histories_) {
      if (is_complete(history)) continue;
      if (const auto found = writes.find(history.channel); found != writes.end()) {
        history.writes.insert(history.writes.end(), found->second.rbegin(), found->second.rend());
      }
      if (const auto found = values.find(history.channel); found != values.end()) {
        history.seed = found->second;
      } else if (const auto text = inlined.find(history.channel); text != inlined.end()) {
        history.inline_seed = text->second;
      }
    }
    return true;
  }

  template <class T>
  using ByChannel = std::map<std::string, T, std::less<>>;

  static ByChannel<std::vector<PendingWrite>> writes_of(const Reply& fields) {
    std::vector<PendingWrite> writes;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      writes.push_back(to_write(fields[i].view(), fields[i + 1]));
    }
    sort_writes(writes);
    ByChannel<std::vector<PendingWrite>> found;
    for (PendingWrite& write : writes) found[write.channel].push_back(std::move(write));
    return found;
  }

  static ByChannel<std::optional<Blob>> values_of(const Reply& values) {
    ByChannel<std::optional<Blob>> found;
    for (std::size_t i = 0; i + 2 < values.size(); i += 3) {
      const std::string channel = values[i].text();
      found[channel] = to_blob(channel, values[i + 1].view(), values[i + 2]);
    }
    return found;
  }

  static ByChannel<std::string> inlined_of(const Reply& content) {
    if (content.view().empty()) return {};
    const auto document = read_document(decode_content(content.view()).document);
    return {document.inline_values.begin(), document.inline_values.end()};
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
