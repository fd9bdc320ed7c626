// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "reads.hpp"
#include "script_call.hpp"
#include "values.hpp"

namespace threadkeep::redis {

namespace {

/// Writes that stand at one place, by their fields.
using Fields = std::vector<std::string>;

// The next places, and where to go on.
std::vector<Fields> find(const Reader& reader, const LooseWritesQuery& query, std::string& at,
                         std::size_t limit) {
  const ScriptCall call{{reader.settings.prefix, query.thread_id}, {at, std::to_string(limit)}};
  const Reply reply = call_script(reader.connection, scripts::loose, {call}, reader.call).front();
  at = reply[0].text();
  std::vector<Fields> places;
  for (std::size_t i = 1; i < reply.size(); ++i) {
    Fields& fields = places.emplace_back();
    for (std::size_t n = 0; n < reply[i].size(); ++n) fields.push_back(reply[i][n].text());
  }
  return places;
}

// Outside of the script, because values may be large. One that was deleted meanwhile is left out.
PutWrites read(const Reader& reader, const std::string& thread_id, const Fields& fields) {
  const Keys keys(reader.settings.prefix, thread_id);
  Pipeline pipeline;
  std::vector<Argument> command{"HMGET", keys.thread};
  command.insert(command.end(), fields.begin(), fields.end());
  pipeline.add(command);
  const Reply values = reader.connection.read(pipeline, reader.call).front();
  const auto parts = name_parts(fields.front(), 4);
  PutWrites put{thread_id, std::string(parts[0]), std::string(parts[1]), {}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!values[i].is_nil()) put.writes.push_back(to_write(fields[i], values[i]));
  }
  sort_writes(put.writes);
  return put;
}

}  // namespace

std::vector<PutWrites> loose_writes(const Reader& reader, const LooseWritesQuery& query) {
  std::vector<PutWrites> found;
  std::string at = query.after ? place(query.after->first, query.after->second) : "";
  do {
    if (found.size() >= query.limit) break;
    for (const Fields& fields : find(reader, query, at, query.limit - found.size())) {
      PutWrites put = read(reader, query.thread_id, fields);
      if (!put.writes.empty()) found.push_back(std::move(put));
    }
  } while (!at.empty());
  return found;
}

}  // namespace threadkeep::redis
