// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_name.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include "printable.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

namespace {

constexpr Include neither{.values = false, .writes = false};

class Finder {
 public:
  Finder(Store& store, const std::string& thread_id, const std::string& checkpoint_ns,
         const Call& call)
      : store_(store), thread_id_(thread_id), checkpoint_ns_(checkpoint_ns), call_(call) {}

  CheckpointTuple find(const std::string& name) const {
    const auto [start, back] = split(name);
    CheckpointTuple found = start == "latest" ? latest() : by_id(start);
    for (std::uint64_t i = 0; i < back; ++i) {
      auto parent = found.parent_checkpoint_id ? get(*found.parent_checkpoint_id) : std::nullopt;
      if (!parent) throw refusal("'" + printable(name) + "' is older than the oldest checkpoint");
      found = std::move(*parent);
    }
    return found;
  }

 private:
  struct Name {
    std::string start;
    std::uint64_t back = 0;
  };

  // "latest~2"; an id may have such an end itself, so it is one only when it is a number.
  static Name split(const std::string& name) {
    const auto mark = name.rfind('~');
    if (mark == std::string::npos || mark == 0) return {name, 0};
    const char* end = name.data() + name.size();
    std::uint64_t back = 0;
    const auto read = std::from_chars(name.data() + mark + 1, end, back);
    if (read.ec != std::errc() || read.ptr != end) return {name, 0};
    return {name.substr(0, mark), back};
  }

  std::optional<CheckpointTuple> get(std::optional<std::string> id) const {
    return store_.get({thread_id_, checkpoint_ns_, std::move(id), neither}, call_);
  }

  CheckpointTuple latest() const {
    auto found = get({});
    if (!found) throw refusal("it has no checkpoints there");
    return std::move(*found);
  }

  CheckpointTuple by_id(const std::string& beginning) const {
    if (auto exact = get(beginning)) return std::move(*exact);
    std::optional<CheckpointTuple> found;
    CheckpointList query;
    query.thread_id = thread_id_;
    query.checkpoint_ns = checkpoint_ns_;
    query.include = neither;
    do {
      auto page = store_.list(query, call_);
      query.cursor = page.next;
      for (auto& checkpoint : page.items) {
        if (!checkpoint.checkpoint_id.starts_with(beginning)) continue;
        if (found) throw refusal("several checkpoints begin with '" + printable(beginning) + "'");
        found = std::move(checkpoint);
      }
    } while (!query.cursor.empty());
    if (!found) throw refusal("no checkpoint begins with '" + printable(beginning) + "'");
    return std::move(*found);
  }

  Refusal refusal(const std::string& reason) const {
    const std::string where =
        checkpoint_ns_.empty() ? "" : ", namespace '" + printable(checkpoint_ns_) + "'";
    return {ExitStatus::failed, "not_found",
            "thread '" + printable(thread_id_) + "'" + where + ": " + reason +
                "; `threadkeep threads history` shows the checkpoints that are there"};
  }

  Store& store_;
  const std::string& thread_id_;
  const std::string& checkpoint_ns_;
  const Call& call_;
};

}  // namespace

CheckpointTuple find_checkpoint(Store& store, const std::string& thread_id,
                                const std::string& checkpoint_ns, const std::string& name,
                                const Call& call) {
  return Finder(store, thread_id, checkpoint_ns, call).find(name);
}

}  // namespace threadkeep::cli
