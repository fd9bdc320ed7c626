// SPDX-License-Identifier: Apache-2.0
#include "retention_rows.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "parts.hpp"
#include "script_call.hpp"
#include "thread_view.hpp"

namespace threadkeep::redis {

namespace {

using retention::CheckpointRow;
using retention::ThreadRows;
using Strings = std::vector<std::string>;

// Blobs and writes that are weighed in one round trip.
constexpr std::size_t piece = 256;

// The names of what a thread holds.
struct Names {
  std::map<std::string, Strings> checkpoints;  // ids by namespace
  Strings weighed;                             // fields of blobs and writes
};

Names names_of(const Reply& fields) {
  Names names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string_view field = fields[i].view();
    if (field.starts_with('c')) {
      const auto parts = name_parts(field, 2);
      names.checkpoints[std::string(parts[0])].emplace_back(parts[1]);
    } else if (field.starts_with('b') || field.starts_with('w')) {
      names.weighed.emplace_back(field);
    }
  }
  return names;
}

std::string text_of(const Reply& reply) {
  return reply.is_nil() ? std::string() : reply.text();
}

void read_orders(const Judged& judged, ThreadRows& rows) {
  if (!judged.time.empty()) {
    rows.expires_at = std::strtoll(judged.time.c_str(), nullptr, 10);
  }
  const std::string marks = std::string(1, '\0') + judged.marks;
  rows.pinned = marks.find({"\0p", 2}) != marks.npos;
  rows.held = marks.find({"\0h", 2}) != marks.npos;
}

CheckpointRow row_of(const std::string& checkpoint_ns, const std::string& id, Content content) {
  return {checkpoint_ns, id, std::move(content.parent_checkpoint_id), std::move(content.document),
          std::move(content.metadata)};
}

void read_checkpoints(Writer& writer, const std::string& thread_id, Names& names,
                      ThreadRows& rows) {
  for (auto& [checkpoint_ns, ids] : names.checkpoints) {
    std::ranges::sort(ids);
    auto contents = read_contents(writer, thread_id, checkpoint_ns, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      rows.checkpoints.push_back(row_of(checkpoint_ns, ids[i], std::move(contents[i])));
    }
  }
}

// What weigh.lua says of a field stands in its answer from `at` on.
void add_weighed(std::string_view field, const Reply& answer, std::size_t at, ThreadRows& rows) {
  const auto size = static_cast<std::uint64_t>(answer[at].integer());
  if (size == 0) throw Changed();
  const auto parts = name_parts(field, field.starts_with('b') ? 3 : 4);
  const auto text = [&](std::size_t i) { return std::string(parts[i]); };
  if (field.starts_with('b')) {
    rows.blobs.push_back({text(0), text(1), text(2), size, answer[at + 1].view() == "1"});
  } else {
    rows.writes.push_back({text(0), text(1), answer[at + 1].text(), size, answer[at + 2].text()});
  }
}

void weigh(Writer& writer, const Keys& keys, const Strings& fields, ThreadRows& rows) {
  std::vector<ScriptCall> calls;
  for (std::size_t from = 0; from < fields.size(); from += piece) {
    const auto to = std::min(from + piece, fields.size());
    calls.push_back({keys,
                     {fields.begin() + static_cast<std::ptrdiff_t>(from),
                      fields.begin() + static_cast<std::ptrdiff_t>(to)}});
  }
  if (calls.empty()) return;
  const auto replies = call_script(writer.connection(), scripts::weigh, calls, writer.call());
  for (std::size_t n = 0; n < fields.size(); ++n) {
    add_weighed(fields[n], replies[n / piece], 3 * (n % piece), rows);
  }
}

// In one moment: the head, metadata, all names, what was ordered, whether there is an index,
// writes.
Reply look_at(Writer& writer, const Keys& keys, const std::string& thread_id) {
  Pipeline pipeline;
  const std::string time = "e" + thread_id;
  const std::string marks = "m" + thread_id;
  pipeline.add({"MULTI"});
  pipeline.add({"HMGET", keys.thread, "h", "m"});
  pipeline.add({"HKEYS", keys.thread});
  pipeline.add({"HMGET", keys.orders, time, marks});
  pipeline.add({"EXISTS", keys.index});
  pipeline.add({"ZLEXCOUNT", keys.index, "[w", "(x"});
  pipeline.add({"EXEC"});
  return writer.read(pipeline).back();
}

ThreadRows try_to_load(Writer& writer, const std::string& thread_id) {
  const Keys keys(writer.settings().prefix, thread_id);
  const Reply found = look_at(writer, keys, thread_id);
  ThreadRows rows;
  if (found[0][0].is_nil()) return rows;
  Judged judged;
  judged.head = found[0][0].text();
  const Head head = decode_head(judged.head);
  const bool is_torn = head.items > 0 && found[3].integer() == 0;
  if (!head.has_info || is_torn) return rows;
  judged.time = text_of(found[2][0]);
  judged.marks = text_of(found[2][1]);
  judged.writes = std::to_string(found[4].integer());
  rows.seen = judged.encode();
  const std::string metadata = text_of(found[0][1]);
  rows.info = ThreadInfo{thread_id, head.created_at, head.updated_at, head.revision,
                         metadata.empty() ? "{}" : metadata};
  read_orders(judged, rows);
  Names names = names_of(found[1]);
  read_checkpoints(writer, thread_id, names, rows);
  weigh(writer, keys, names.weighed, rows);
  return rows;
}

Strings words(const Judged& judged, std::int64_t fence) {
  return {judged.head, judged.writes, judged.time, judged.marks, std::to_string(fence)};
}

// Runs of the checkpoints that go, and of none that stays.
Strings runs_that_go(const ThreadRows& rows, const std::set<std::string>& places) {
  std::set<std::string> going;
  std::set<std::string> staying;
  for (const auto& row : rows.checkpoints) {
    const auto run = run_id(row.metadata);
    if (!run) continue;
    const bool goes = places.contains(place(row.checkpoint_ns, row.checkpoint_id));
    (goes ? going : staying).insert(*run);
  }
  Strings runs;
  std::ranges::set_difference(going, staying, std::back_inserter(runs));
  return runs;
}

// Blobs of namespaces that lose checkpoints, which none that stays names.
Strings blobs_that_go(const ThreadRows& rows, const retention::CheckpointsByNamespace& gone,
                      const std::set<std::string>& places) {
  std::set<std::string> named;
  for (const auto& row : rows.checkpoints) {
    if (!gone.contains(row.checkpoint_ns)) continue;
    if (places.contains(place(row.checkpoint_ns, row.checkpoint_id))) continue;
    for (const auto& [channel, version] : read_document(row.document).versions) {
      named.insert(blob_field(row.checkpoint_ns, channel, version));
    }
  }
  Strings fields;
  for (const auto& blob : rows.blobs) {
    auto field = blob_field(blob.checkpoint_ns, blob.channel, blob.version);
    if (gone.contains(blob.checkpoint_ns) && !named.contains(field)) {
      fields.push_back(std::move(field));
    }
  }
  return fields;
}

}  // namespace

std::string Judged::encode() const {
  std::string text;
  for (const auto* part : {&head, &writes, &time, &marks}) append_part(text, *part);
  return text;
}

Judged Judged::decode(std::string_view text) {
  Judged judged;
  for (auto* part : {&judged.head, &judged.writes, &judged.time, &judged.marks}) {
    *part = take_part(text, "what a sweep has judged");
  }
  return judged;
}

retention::ThreadGlance glance_at(Writer& writer, const std::string& thread_id) {
  const Keys keys(writer.settings().prefix, thread_id);
  retention::ThreadGlance glance;
  const Reply found =
      call_script(writer.connection(), scripts::glance, {{keys, {thread_id}}}, writer.call())
          .front();
  if (found.size() == 0) return glance;
  ThreadRows& rows = glance.edges;
  const Head head = decode_head(found[0].view());
  rows.info =
      ThreadInfo{thread_id, head.created_at, head.updated_at, head.revision, found[1].text()};
  read_orders({{}, {}, found[2].text(), found[3].text()}, rows);
  for (std::size_t n = 4; n < found.size(); ++n) {
    const Reply edges = found[n];
    glance.longest = std::max(glance.longest, static_cast<std::size_t>(edges[1].integer()));
    for (std::size_t i = 2; i + 1 < edges.size(); i += 2) {
      rows.checkpoints.push_back(
          row_of(edges[0].text(), edges[i].text(), decode_content(edges[i + 1].view())));
    }
  }
  return glance;
}

ThreadRows load_rows(Writer& writer, const std::string& thread_id) {
  return until_unchanged(writer, [&] { return try_to_load(writer, thread_id); });
}

bool erase_thread(Writer& writer, const ThreadRows& judged, std::int64_t fence) {
  const Settings& settings = writer.settings();
  const std::string& thread_id = judged.info->thread_id;
  Transaction transaction(scripts::delete_thread, {settings.prefix, thread_id});
  transaction.arguments = {thread_id, std::to_string(settings.ttl.count()), new_nonce(),
                           std::to_string(writer.now())};
  for (std::string& word : words(Judged::decode(judged.seen), fence)) {
    transaction.arguments.emplace_back(std::move(word));
  }
  return writer.run(transaction).verdict() == "ok";
}

bool erase_checkpoints(Writer& writer, const ThreadRows& judged,
                       const retention::CheckpointsByNamespace& gone, std::int64_t fence) {
  const Judged seen = Judged::decode(judged.seen);
  const Head head = decode_head(seen.head);
  Erasure erasure;
  for (const auto& [checkpoint_ns, ids] : gone) {
    for (const auto& id : ids) erasure.add_checkpoint(checkpoint_ns, id);
  }
  const std::set<std::string> places(erasure.places.begin(), erasure.places.end());
  erasure.blobs = blobs_that_go(judged, gone, places);
  erasure.runs = runs_that_go(judged, places);
  try {
    erase(writer, judged.info->thread_id, {head.changes, head.generation, {}}, erasure,
          words(seen, fence));
  } catch (const Changed&) {
    return false;
  }
  return true;
}

}  // namespace threadkeep::redis
