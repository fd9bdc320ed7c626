// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "layout.hpp"
#include "reads.hpp"
#include "registry.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::redis {

namespace {

constexpr std::size_t most_at_once = 1000;

// Those of the names whose threads are still there.
std::vector<ThreadInfo> read_infos(const Reader& reader, const std::vector<std::string>& names) {
  Pipeline pipeline;
  for (const std::string& name : names) {
    pipeline.add({"HMGET", Keys(reader.settings.prefix, name).thread, "h", "m"});
  }
  const auto replies = reader.connection.read(pipeline, reader.call);
  std::vector<ThreadInfo> infos;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (replies[i][0].is_nil()) continue;
    const Head head = decode_head(replies[i][0].view());
    if (!head.has_info) continue;
    infos.push_back({.thread_id = names[i],
                     .created_at = head.created_at,
                     .updated_at = head.updated_at,
                     .revision = head.revision,
                     .metadata = replies[i][1].is_nil() ? "{}" : replies[i][1].text()});
  }
  return infos;
}

}  // namespace

Page<ThreadInfo> threads(const Reader& reader, const ThreadList& query) {
  const MetadataFilter filter(query.filter);
  const CursorCodec codec(query);
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  Page<ThreadInfo> page;
  if (query.limit == 0) return page;
  const std::size_t at_once = std::min(query.limit + 1, most_at_once);
  ThreadNames names(reader.connection, reader.settings, reader.call, after, at_once);
  for (auto some = names.next(at_once); !some.empty(); some = names.next(at_once)) {
    for (ThreadInfo& info : read_infos(reader, some)) {
      if (!filter.matches(info.metadata)) continue;
      if (page.items.size() == query.limit) {
        page.next = codec.encode({page.items.back().thread_id});
        return page;
      }
      page.items.push_back(std::move(info));
    }
  }
  return page;
}

std::optional<ThreadInfo> thread(const Reader& reader, const ThreadQuery& query) {
  const auto infos = read_infos(reader, {query.thread_id});
  if (infos.empty()) return {};
  return infos.front();
}

}  // namespace threadkeep::redis
