// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "reads.hpp"
#include "script_call.hpp"
#include "threadkeep/backend_support.hpp"
#include "values.hpp"

namespace threadkeep::redis {

namespace {

// What the script copies at most of the values of one checkpoint; the rest takes a second round
// trip, which costs more than a write saves by going around a script.
std::size_t script_room(const Settings& settings) {
  return 2 * settings.script_bytes;
}

/// A checkpoint that is being read.
struct Reading {
  const CheckpointQuery* query;
  CheckpointTuple tuple;
  Content::Versions versions;
  std::string generation;
  bool done = false;
  bool found = false;
  struct Rest {
    std::string field;
    std::size_t version;  // or npos for a write
    std::size_t size;
  };
  std::vector<Rest> rest;  // values that were too large for the script

  static constexpr auto npos = static_cast<std::size_t>(-1);
};

void add_value(Reading& reading, std::size_t version, const Reply& value) {
  const auto& [channel, number] = reading.versions[version];
  if (auto blob = to_blob(channel, number, value)) reading.tuple.values.push_back(std::move(*blob));
}

// The length that stands for a value which was too large.
std::size_t size_of(const Reply& value) {
  return static_cast<std::size_t>(value.integer());
}

void take_values(Reading& reading, const Reply& values) {
  const auto& ns = reading.query->checkpoint_ns;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_nil()) continue;
    if (values[i].is_text()) {
      add_value(reading, i, values[i]);
      continue;
    }
    const auto& [channel, version] = reading.versions[i];
    reading.rest.push_back({blob_field(ns, channel, version), i, size_of(values[i])});
  }
}

void take_writes(Reading& reading, const Reply& writes) {
  for (std::size_t i = 0; i + 1 < writes.size(); i += 2) {
    if (writes[i + 1].is_text()) {
      reading.tuple.writes.push_back(to_write(writes[i].view(), writes[i + 1]));
    } else {
      reading.rest.push_back({writes[i].text(), Reading::npos, size_of(writes[i + 1])});
    }
  }
}

void take(Reading& reading, const Reply& reply) {
  const auto* query = reading.query;
  reading = Reading{query, {}, {}, {}, false, false, {}};
  if (reply.is_nil()) {
    reading.done = true;
    return;
  }
  Content content = decode_content(reply[1].view());
  reading.versions = std::move(content.versions);
  reading.tuple = {.thread_id = query->thread_id,
                   .checkpoint_ns = query->checkpoint_ns,
                   .checkpoint_id = reply[0].text(),
                   .parent_checkpoint_id = std::move(content.parent_checkpoint_id),
                   .document = std::move(content.document),
                   .metadata = std::move(content.metadata),
                   .values = {},
                   .writes = {}};
  take_values(reading, reply[2]);
  take_writes(reading, reply[3]);
  reading.generation = reply[4].text();
  reading.found = true;
  reading.done = reading.rest.empty();
}

// Such values never change. They are those that belong to the checkpoint as long as nothing was
// deleted, which changes the generation; else the checkpoint is read again.
void take_rest(Reading& reading, const Reply& reply) {
  if (reply[0].is_nil() || decode_head(reply[0].view()).generation != reading.generation) return;
  for (std::size_t i = 0; i < reading.rest.size(); ++i) {
    const auto& [field, version, size] = reading.rest[i];
    const Reply value = reply[i + 1];
    if (value.is_nil()) return;
    if (version == Reading::npos) {
      reading.tuple.writes.push_back(to_write(field, value));
    } else {
      add_value(reading, version, value);
    }
  }
  reading.done = true;
}

ScriptCall to_call(const Reader& reader, const CheckpointQuery& query) {
  return {{reader.settings.prefix, query.thread_id},
          {query.thread_id, std::to_string(reader.settings.ttl.count()), query.checkpoint_ns,
           query.checkpoint_id.value_or(""), query.include.values ? "1" : "",
           query.include.writes ? "1" : "", std::to_string(script_room(reader.settings))}};
}

using Readings = std::vector<Reading*>;

Readings unfinished(std::vector<Reading>& readings) {
  Readings open;
  for (Reading& reading : readings) {
    if (!reading.done) open.push_back(&reading);
  }
  return open;
}

void read_most(const Reader& reader, const Readings& readings) {
  std::vector<ScriptCall> calls;
  for (const Reading* reading : readings) calls.push_back(to_call(reader, *reading->query));
  const auto replies = call_script(reader.connection, scripts::get, calls, reader.call);
  for (std::size_t i = 0; i < readings.size(); ++i) take(*readings[i], replies[i]);
}

void read_rest(const Reader& reader, const Readings& readings) {
  if (readings.empty()) return;
  Pipeline pipeline;
  for (const Reading* reading : readings) {
    const Keys keys(reader.settings.prefix, reading->query->thread_id);
    std::vector<Argument> command{"HMGET", keys.thread, "h"};
    for (const auto& rest : reading->rest) command.emplace_back(rest.field);
    pipeline.add(command);
  }
  const auto replies = reader.connection.read(pipeline, reader.call);
  for (std::size_t i = 0; i < readings.size(); ++i) take_rest(*readings[i], replies[i]);
}

// Gives up the last ones where large values would take more than `bytes`, but never the first.
void keep_within(std::vector<Reading>& readings, std::size_t bytes) {
  std::size_t sum = 0;
  const auto beyond = std::find_if(readings.begin(), readings.end(), [&](const Reading& reading) {
    if (sum > bytes) return true;
    for (const auto& rest : reading.rest) sum += rest.size;
    return false;
  });
  readings.erase(beyond, readings.end());
}

void finish(CheckpointTuple& tuple) {
  std::sort(tuple.values.begin(), tuple.values.end(),
            [](const Blob& a, const Blob& b) { return a.channel < b.channel; });
  sort_writes(tuple.writes);
}

}  // namespace

std::vector<std::optional<CheckpointTuple>> read_checkpoints(
    const Reader& reader, const std::vector<CheckpointQuery>& queries, std::size_t max_bytes) {
  std::vector<Reading> readings;
  readings.reserve(queries.size());
  for (const CheckpointQuery& query : queries) {
    readings.push_back({&query, {}, {}, {}, false, false, {}});
  }
  for (auto open = unfinished(readings); !open.empty(); open = unfinished(readings)) {
    read_most(reader, open);
    keep_within(readings, max_bytes);
    read_rest(reader, unfinished(readings));
  }
  std::vector<std::optional<CheckpointTuple>> tuples;
  for (Reading& reading : readings) {
    if (reading.found) finish(reading.tuple);
    tuples.push_back(reading.found ? std::optional(std::move(reading.tuple)) : std::nullopt);
  }
  return tuples;
}

}  // namespace threadkeep::redis
