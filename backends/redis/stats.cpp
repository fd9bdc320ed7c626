// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "layout.hpp"
#include "reads.hpp"
#include "registry.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::redis {

namespace {

constexpr std::size_t sample_size = 1024;
constexpr std::size_t at_once = 256;  // threads of one pipeline
constexpr std::size_t most_ids = 1000;

using Names = std::vector<std::string>;

std::uint64_t number(const Reply& reply) {
  return reply.is_integer() ? static_cast<std::uint64_t>(reply.integer()) : 0;
}

std::uint64_t count_names(const Reader& reader) {
  Pipeline pipeline;
  for (unsigned i = 0; i < buckets; ++i) {
    pipeline.add({"ZCARD", registry_key(reader.settings.prefix, i)});
  }
  std::uint64_t count = 0;
  for (const Reply& reply : reader.connection.read(pipeline, reader.call)) count += number(reply);
  return count;
}

Names all_names(const Reader& reader) {
  ThreadNames names(reader.connection, reader.settings, reader.call, "", most_ids * buckets);
  Names all;
  for (auto some = names.next(most_ids); !some.empty(); some = names.next(most_ids)) {
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

// Threads are in buckets by a hash, so as many of each bucket are a fair sample.
Names sample_names(const Reader& reader) {
  Pipeline pipeline;
  for (unsigned i = 0; i < buckets; ++i) {
    pipeline.add({"ZRANDMEMBER", registry_key(reader.settings.prefix, i),
                  std::to_string(sample_size / buckets)});
  }
  Names names;
  for (const Reply& reply : reader.connection.read(pipeline, reader.call)) {
    for (std::size_t i = 0; i < reply.size(); ++i) names.push_back(reply[i].text());
  }
  return names;
}

// What the replies about threads add up to.
struct Sums {
  std::uint64_t threads = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t blobs = 0;
  std::uint64_t writes = 0;
  std::uint64_t messages = 0;
  std::uint64_t streams = 0;
  std::uint64_t states = 0;
  std::uint64_t bytes = 0;
  bool bytes_known = true;
};

constexpr std::size_t commands_of_thread = 11;

void ask(Pipeline& pipeline, const Keys& keys) {
  pipeline.add({"HLEN", keys.thread});
  pipeline.add({"HEXISTS", keys.thread, "m"});
  pipeline.add({"ZLEXCOUNT", keys.index, "[c", "(d"});
  pipeline.add({"ZLEXCOUNT", keys.index, "[w", "(x"});
  pipeline.add({"MEMORY", "USAGE", keys.thread});
  pipeline.add({"MEMORY", "USAGE", keys.index});
  pipeline.add({"ZLEXCOUNT", keys.index, "[e", "(f"});
  pipeline.add({"ZLEXCOUNT", keys.index, "[l", "(m"});
  pipeline.add({"ZLEXCOUNT", keys.index, "[s", "(t"});
  pipeline.add({"ZLEXCOUNT", keys.index, "[o", "(p"});
  pipeline.add({"ZREVRANGEBYLEX", keys.index, "(d", "[c", "LIMIT", "0", std::to_string(most_ids)});
}

// "cNS\0ID": the id is what follows the NUL.
void add_ids(const Reply& members, StatsCollector& collector) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto member = members[i].view();
    collector.add_checkpoint(member.substr(member.find('\0') + 1));
  }
}

// The fields of a thread are its head, perhaps its metadata, checkpoints, blobs, writes, messages
// by place and by id, streams, documents and operations. Blobs alone are not in the index.
void add_thread(const std::string& name, const Reply* replies, Sums& sums,
                StatsCollector& collector) {
  const std::uint64_t fields = number(replies[0]);
  if (fields == 0) return;  // it expired
  const std::uint64_t checkpoints = number(replies[2]);
  const std::uint64_t writes = number(replies[3]);
  const std::uint64_t messages = number(replies[6]);
  const std::uint64_t streams = number(replies[7]);
  const std::uint64_t states = number(replies[8]);
  const std::uint64_t others = 1 + number(replies[1]) + checkpoints + writes + 2 * messages +
                               streams + states + number(replies[9]);
  const std::uint64_t bytes = number(replies[4]) + number(replies[5]);
  if (replies[4].is_error()) sums.bytes_known = false;
  ++sums.threads;
  sums.checkpoints += checkpoints;
  sums.writes += writes;
  sums.messages += messages;
  sums.streams += streams;
  sums.states += states;
  sums.blobs += fields - std::min(fields, others);
  sums.bytes += bytes;
  collector.add_thread({name, checkpoints, bytes});
  add_ids(replies[10], collector);
}

void add_threads(const Reader& reader, const std::string* names, std::size_t count, Sums& sums,
                 StatsCollector& collector) {
  std::vector<Keys> keys;
  for (std::size_t i = 0; i < count; ++i) keys.emplace_back(reader.settings.prefix, names[i]);
  Pipeline pipeline;
  for (const Keys& of_thread : keys) ask(pipeline, of_thread);
  Exchange answers = reader.connection.exchange(pipeline, reader.call);
  if (answers.failure) throw Error(*answers.failure);
  for (std::size_t i = 0; i < count; ++i) {
    add_thread(names[i], &answers.replies[i * commands_of_thread], sums, collector);
  }
}

StoreStats scaled(const Sums& sums, double scale) {
  const auto times = [scale](std::uint64_t count) {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * scale));
  };
  StoreStats stats;
  stats.entities = {
      {"threads", times(sums.threads), {}},   {"checkpoints", times(sums.checkpoints), {}},
      {"blobs", times(sums.blobs), {}},       {"writes", times(sums.writes), {}},
      {"messages", times(sums.messages), {}}, {"streams", times(sums.streams), {}},
      {"states", times(sums.states), {}}};
  if (sums.bytes_known) stats.stored_bytes = times(sums.bytes);
  return stats;
}

}  // namespace

StoreStats stats(const Reader& reader, const StatsQuery& query) {
  const std::uint64_t count = count_names(reader);
  const bool everything = query.exact || count <= sample_size;
  const Names names = everything ? all_names(reader) : sample_names(reader);
  Sums sums;
  StatsCollector collector(query.largest);
  for (std::size_t i = 0; i < names.size(); i += at_once) {
    add_threads(reader, &names[i], std::min(at_once, names.size() - i), sums, collector);
  }
  const double scale = everything || names.empty()
                           ? 1
                           : static_cast<double>(count) / static_cast<double>(names.size());
  StoreStats stats = scaled(sums, scale);
  stats.estimated = !everything;
  stats.method =
      everything ? "everything" : "a sample of " + std::to_string(names.size()) + " threads";
  collector.finish(stats);
  for (auto& [day, checkpoints] : stats.checkpoints_by_day) {
    checkpoints =
        static_cast<std::uint64_t>(std::llround(static_cast<double>(checkpoints) * scale));
  }
  return stats;
}

}  // namespace threadkeep::redis
