// SPDX-License-Identifier: Apache-2.0
#include "sample.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "archive/export_threads.hpp"
#include "archive/writer.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::ops {

namespace {

using testing::Draft;
using Strings = std::vector<std::string>;

const Strings thread_pool{
    "a",    "ada",       "t:{1}*|",           "T%_'\"\\", "\u043b\u0438\u043d",
    "\x01", "\u0001x\n", "\U0001F600\u2028 ", "~",        "zz"};
const Strings namespace_pool{"", "", "", "child:1", "a|b*", "\u00e9"};
const Strings id_pool{"0001", "0002", "0003", "10",   "9",      "A",         "a",
                      "a%",   "{b}",  "\t",   "\x7f", "\u00e9", "\U0001F600"};
const Strings channel_pool{"messages", "a", "b.c", "\U0001F600", "\"\n"};
const Strings json_pool{"1",
                        "1.0",
                        "123456789012345678",
                        "-0.5",
                        "1e300",
                        "0.1",
                        "true",
                        "null",
                        "\"\\u00e9\\n\\\"\"",
                        "[1, {}, [[]]]",
                        "{\"a\": {\"b\": [null, 2.5e-7]}}"};

class Filler {
 public:
  Filler(Store& store, std::uint64_t seed) : store_(store), random_(seed) {}

  void run(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) {
      fill_thread(thread_pool[i % thread_pool.size()]);
    }
    write(writes(writes_only));
    write(PutThread{"only metadata", metadata()});
  }

 private:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  const std::string& pick(const Strings& pool) { return pool[below(pool.size())]; }

  void write(Mutation mutation) { store_.write(std::move(mutation), {}); }

  void fill_thread(const std::string& thread_id) {
    for (auto n = 2 + below(12); n > 0; --n) write(put(thread_id));
    for (auto n = below(6); n > 0; --n) write(writes(thread_id));
    if (chance(50)) write(PutThread{thread_id, metadata()});
  }

  // Every byte, in some order: NUL, newlines and what is not UTF-8.
  Bytes payload() {
    std::string bytes;
    for (auto n = below(300); n > 0; --n) bytes += static_cast<char>(below(256));
    return Bytes(std::move(bytes));
  }

  Mutation put(const std::string& thread_id) {
    Draft draft(thread_id, pick(id_pool));
    draft.ns(pick(namespace_pool)).metadata(metadata());
    if (chance(60)) draft.parent(pick(id_pool));
    for (const auto& channel : channel_pool) {
      const auto version = std::to_string(below(4));
      if (chance(40)) {
        draft.value(channel, version, "");
      } else if (chance(40)) {
        draft.carries(channel, version);
      } else if (chance(40)) {
        draft.inlined(channel, version, pick(json_pool));
      }
    }
    PutCheckpoint checkpoint = draft;
    for (Blob& blob : checkpoint.blobs) {
      blob.type = chance(10) ? empty_type : pick({"msgpack", "", "t\"y\npe"});
      if (blob.type != empty_type) blob.data = payload();
    }
    return checkpoint;
  }

  Mutation writes(const std::string& thread_id) {
    PutWrites put{thread_id, pick(namespace_pool), pick(id_pool), {}};
    for (auto n = 1 + below(4); n > 0; --n) {
      put.writes.push_back({"task " + std::to_string(below(3)),
                            static_cast<std::int32_t>(below(7)) - 3, pick(channel_pool),
                            chance(50) ? "~1, \u00e9\n" : "", "msgpack", payload()});
    }
    return put;
  }

  std::string metadata() {
    std::string members;
    for (const auto* key : {"source", "step", "run_id", "nested\\n"}) {
      if (!chance(60)) continue;
      members += (members.empty() ? "\"" : ", \"") + std::string(key) + "\": " + pick(json_pool);
    }
    return "{" + members + "}";
  }

  Store& store_;
  std::mt19937_64 random_;
};

std::string canonical(const std::string& json) {
  return nlohmann::json::parse(json).dump();
}

std::string text(const PendingWrite& write) {
  return write.task_id + " " + std::to_string(write.idx) + " " + write.channel + " " +
         write.task_path + " " + write.type + " " + std::string(write.data.view());
}

std::string text(const CheckpointTuple& tuple) {
  std::string words = tuple.checkpoint_ns + " | " + tuple.checkpoint_id + " parent " +
                      tuple.parent_checkpoint_id.value_or("(none)") + "\n" +
                      canonical(tuple.document) + "\n" + canonical(tuple.metadata);
  for (const Blob& blob : tuple.values) {
    words += "\nvalue " + blob.channel + "@" + blob.version + " " + blob.type + " " +
             std::string(blob.data.view());
  }
  for (const PendingWrite& write : tuple.writes) words += "\nwrite " + text(write);
  return words;
}

void add_checkpoints(Store& store, const std::string& thread_id, Strings& parts) {
  CheckpointList query;
  query.thread_id = thread_id;
  do {
    const auto page = store.list(query, {});
    for (const auto& tuple : page.items) parts.push_back(thread_id + " | " + text(tuple));
    query.cursor = page.next;
  } while (!query.cursor.empty());
}

void add_loose_writes(Store& store, const std::string& thread_id, Strings& parts) {
  const auto found = store.loose_writes({thread_id, {}, 1000}, {});
  for (const auto& put : found) {
    parts.push_back(thread_id + " | " + put.checkpoint_ns + " | loose " + put.checkpoint_id);
    for (const auto& write : put.writes) parts.back() += "\nwrite " + text(write);
  }
}

void add_session(Store& store, const std::string& thread_id, Strings& parts) {
  if (!store.capabilities().sessions) return;
  for (const auto& stream : store.streams({thread_id}, {})) {
    MessageList query;
    query.thread_id = thread_id;
    query.stream = stream;
    do {
      const auto page = store.messages(query, {});
      for (const auto& message : page.items) {
        parts.push_back(thread_id + " | " + stream + " | message " + message.id + " " +
                        message.role + " " + message.content + " " + message.metadata);
      }
      query.cursor = page.next;
    } while (!query.cursor.empty());
  }
  const StateList states{StateScope::of_thread(thread_id), 10'000, 1 << 20, {}};
  for (const auto& document : store.states(states, {}).items) {
    parts.push_back(thread_id + " | state " + document.key + " " + document.value);
  }
}

Strings listed(Store& store) {
  Strings ids;
  ThreadList query{.filter = {}, .limit = 1000, .cursor = {}};
  do {
    const auto page = store.threads(query, {});
    for (const auto& thread : page.items) ids.push_back(thread.thread_id);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return ids;
}

}  // namespace

void fill(Store& store, std::uint64_t seed, std::size_t threads) {
  Filler(store, seed).run(threads);
}

std::vector<std::string> contents(Store& store, const std::string& thread_id) {
  Strings parts;
  add_checkpoints(store, thread_id, parts);
  add_loose_writes(store, thread_id, parts);
  add_session(store, thread_id, parts);
  return parts;
}

std::vector<std::string> contents(Store& store) {
  Strings parts;
  ThreadList query{.filter = {}, .limit = 1000, .cursor = {}};
  for (const auto& thread : store.threads(query, {}).items) {
    parts.push_back(thread.thread_id + " " + canonical(thread.metadata));
    const auto of_thread = contents(store, thread.thread_id);
    parts.insert(parts.end(), of_thread.begin(), of_thread.end());
  }
  add_loose_writes(store, writes_only, parts);
  return parts;
}

std::string archive_of(Store& store, const std::vector<std::string>& thread_ids) {
  std::string archive;
  ArchiveWriter writer([&](std::string_view bytes) { archive += bytes; });
  ExportSelection selection{thread_ids, {}};
  if (thread_ids.empty()) {
    selection.thread_ids = listed(store);
    if (!contents(store, writes_only).empty()) selection.thread_ids.emplace_back(writes_only);
  }
  const Call patient{.deadline = Deadline::after(std::chrono::minutes(5)), .stop = {}};
  export_threads(store, selection, writer, patient, [] {});
  writer.finish();
  return archive;
}

Source source_of(const std::string& bytes) {
  return [&bytes, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t count = bytes.copy(buffer, size, at);
    at += count;
    return count;
  };
}

Imported import(Store& store, const std::string& archive, bool dry_run) {
  Imported imported;
  ArchiveReader reader(source_of(archive));
  ImportOptions options;
  options.dry_run = dry_run;
  options.problem = [&](const ImportProblem& problem) { imported.problems.push_back(problem); };
  const Call patient{.deadline = Deadline::after(std::chrono::minutes(5)), .stop = {}};
  imported.report = import_threads(store, reader, patient, options);
  return imported;
}

std::string decompressed(const std::string& archive) {
  Decompressor decompressor(source_of(archive));
  std::string lines;
  for (auto piece = decompressor.next(); !piece.empty(); piece = decompressor.next()) {
    lines += piece;
  }
  return lines;
}

std::string compressed(const std::string& lines) {
  std::string archive;
  Compressor compressor([&](std::string_view bytes) { archive += bytes; });
  compressor.add(lines);
  compressor.finish();
  return archive;
}

}  // namespace threadkeep::ops
