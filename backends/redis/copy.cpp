// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "error_map.hpp"
#include "mutations.hpp"
#include "thread_view.hpp"

namespace threadkeep::redis {

namespace {

using Strings = std::vector<std::string>;

/// A whole thread, as one command read it.
struct Source {
  bool has_info = false;
  bool has_items = false;
  std::string metadata;  // nothing when it was never set
  Strings checkpoints;
  Strings messages;  // members of the index
  Strings documents;
  Strings others;   // members of the index: writes and runs
  Strings streams;  // each with its last seq
  Strings blobs;
  std::vector<NewValue> values;
  Reply reply;  // that the values lie in
};

// What is no value of its own; false when it is one.
bool add_record(Source& source, const std::string& field, const Reply& value) {
  if (field == "h") {
    const Head head = decode_head(value.view());
    source.has_info = head.has_info;
    source.has_items = head.items > 0;
  } else if (field == "m") {
    source.metadata = value.text();
  } else if (field.starts_with('l')) {
    source.streams.insert(source.streams.end(), {field.substr(1), value.text()});
  } else {
    // Operations are those of the source.
    return field.starts_with('o');
  }
  return true;
}

void add_field(Source& source, std::set<std::string>& runs, const Reply& name, const Reply& value) {
  const std::string field = name.text();
  if (add_record(source, field, value)) return;
  if (field.starts_with('c')) {
    source.checkpoints.push_back(field);
    if (const auto run = decode_content(value.view()).run_id) runs.insert("r" + *run);
  } else if (field.starts_with('i')) {
    source.messages.push_back("e" + value.text() + '\0' + field.substr(1));
  } else if (field.starts_with('s')) {
    source.documents.push_back(field);
  } else if (!field.starts_with('e')) {
    (field.starts_with('w') ? source.others : source.blobs).push_back(field);
  }
  source.values.push_back({field, {"", value.view()}});
}

Source read_source(Writer& writer, const std::string& thread_id) {
  Pipeline pipeline;
  const Keys keys(writer.settings().prefix, thread_id);
  pipeline.add({"MULTI"});
  pipeline.add({"HGETALL", keys.thread});
  pipeline.add({"EXISTS", keys.index});
  pipeline.add({"EXEC"});
  const Reply found = writer.read(pipeline).back();
  Source source;
  source.reply = checked(found[0]);
  std::set<std::string> runs;
  for (std::size_t i = 0; i + 1 < source.reply.size(); i += 2) {
    add_field(source, runs, source.reply[i], source.reply[i + 1]);
  }
  check_whole(keys, {source.reply.size() != 0, source.has_items, found[1].integer() != 0});
  source.others.insert(source.others.end(), runs.begin(), runs.end());
  return source;
}

}  // namespace

Written copy_thread(Writer& writer, const CopyThread& copy) {
  Source source = read_source(writer, copy.source_thread_id);
  // A tombstone is not a thread.
  if (!source.has_info && source.others.empty()) return {};
  const Settings& settings = writer.settings();
  Transaction transaction(scripts::copy, {settings.prefix, copy.target_thread_id});
  transaction.arguments = {copy.target_thread_id,        std::to_string(settings.ttl.count()),
                           std::to_string(writer.now()), new_nonce(),
                           source.has_info ? "1" : "",   source.metadata};
  for (const auto* names : {&source.checkpoints, &source.messages, &source.documents,
                            &source.others, &source.streams}) {
    transaction.arguments.emplace_back(std::to_string(names->size()));
    transaction.arguments.insert(transaction.arguments.end(), names->begin(), names->end());
  }
  transaction.arguments.insert(transaction.arguments.end(), source.blobs.begin(),
                               source.blobs.end());
  transaction.values = std::move(source.values);
  const Attempt attempt = writer.run(transaction);
  if (attempt.verdict() == "others") {
    throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                    "' holds checkpoints that the source does not have; choose "
                                    "another target or delete it first");
  }
  if (attempt.verdict() == "messages") {
    throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                    "' had messages of its own; choose another target or delete it "
                                    "first");
  }
  return {.changed = static_cast<std::uint64_t>(attempt.number(1)),
          .kept = static_cast<std::uint64_t>(attempt.number(2))};
}

}  // namespace threadkeep::redis
