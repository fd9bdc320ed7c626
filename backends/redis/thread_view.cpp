// SPDX-License-Identifier: Apache-2.0
#include "thread_view.hpp"

#include <algorithm>

#include "error_map.hpp"
#include "script_call.hpp"

namespace threadkeep::redis {

namespace {

// Checkpoints that are read, and blobs that are looked at, in one round trip.
constexpr std::size_t piece = 256;

void add_name(ThreadView& view, std::string_view name) {
  const auto text = [](std::string_view part) { return std::string(part); };
  if (name.starts_with('c')) {
    const auto parts = name_parts(name, 2);
    view.namespaces[text(parts[0])].checkpoints.insert(text(parts[1]));
  } else if (name.starts_with('b')) {
    const auto parts = name_parts(name, 3);
    view.namespaces[text(parts[0])].blobs.emplace(parts[1], parts[2]);
  }
}

using Channels = std::set<std::string>;

// The fields of all blobs of these channels that the contents name.
std::vector<std::string> fields_of(const std::string& checkpoint_ns, const Channels& channels,
                                   const std::vector<Content>& contents) {
  std::set<std::string> fields;
  for (const Content& content : contents) {
    for (const auto& [channel, version] : content.versions) {
      if (channels.contains(channel)) fields.insert(blob_field(checkpoint_ns, channel, version));
    }
  }
  return {fields.begin(), fields.end()};
}

std::set<std::string> fields_with_value(Writer& writer, const Keys& keys,
                                        const std::vector<std::string>& fields) {
  std::set<std::string> valued;
  for (std::size_t from = 0; from < fields.size(); from += piece) {
    const auto to = std::min(from + piece, fields.size());
    const std::vector<std::string> some(fields.begin() + static_cast<std::ptrdiff_t>(from),
                                        fields.begin() + static_cast<std::ptrdiff_t>(to));
    const Reply marks =
        call_script(writer.connection(), scripts::valued, {{keys, some}}, writer.call()).front();
    for (std::size_t i = from; i < to; ++i) {
      if (marks[i - from].integer() == 1) valued.insert(fields[i]);
    }
  }
  return valued;
}

}  // namespace

void check_whole(const Keys& keys, const Found& found) {
  const bool torn = found.index ? !found.hash : found.items;
  if (torn) throw make_error("TORN a part of " + keys.thread + " is missing");
}

std::optional<ThreadView> view_thread(Writer& writer, const std::string& thread_id) {
  const Keys keys(writer.settings().prefix, thread_id);
  Pipeline pipeline;
  pipeline.add({"MULTI"});
  pipeline.add({"HGET", keys.thread, "h"});
  pipeline.add({"HKEYS", keys.thread});
  pipeline.add({"EXISTS", keys.index});
  pipeline.add({"EXEC"});
  const Reply found = writer.read(pipeline).back();
  const Reply names = found[1];
  ThreadView view;
  for (std::size_t i = 0; i < names.size(); ++i) add_name(view, names[i].view());
  const Head head = found[0].is_nil() ? Head() : decode_head(found[0].view());
  check_whole(keys, {names.size() != 0, head.items > 0, found[2].integer() != 0});
  if (found[0].is_nil()) return {};
  view.changes = head.changes;
  view.generation = head.generation;
  return view;
}

std::vector<Content> read_contents(Writer& writer, const std::string& thread_id,
                                   const std::string& checkpoint_ns,
                                   const std::vector<std::string>& checkpoint_ids) {
  const Keys keys(writer.settings().prefix, thread_id);
  std::vector<Content> contents;
  for (std::size_t from = 0; from < checkpoint_ids.size(); from += piece) {
    std::vector<std::string> fields;
    for (std::size_t i = from; i < std::min(from + piece, checkpoint_ids.size()); ++i) {
      fields.push_back(checkpoint_field(place(checkpoint_ns, checkpoint_ids[i])));
    }
    std::vector<Argument> arguments{"HMGET", keys.thread};
    arguments.insert(arguments.end(), fields.begin(), fields.end());
    Pipeline pipeline;
    pipeline.add(arguments);
    const Reply values = writer.read(pipeline).front();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (values[i].is_nil()) throw Changed();
      contents.push_back(decode_content(values[i].view()));
    }
  }
  return contents;
}

DeltaDependencies dependencies(Writer& writer, const std::string& thread_id,
                               const std::string& checkpoint_ns,
                               const std::vector<std::string>& ids,
                               const std::vector<Content>& contents) {
  Channels channels;
  for (const Content& content : contents) {
    channels.insert(content.delta_channels.begin(), content.delta_channels.end());
  }
  const Keys keys(writer.settings().prefix, thread_id);
  const auto valued = fields_with_value(writer, keys, fields_of(checkpoint_ns, channels, contents));
  std::vector<CheckpointNode> nodes;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Content& content = contents[i];
    CheckpointNode node{ids[i], content.parent_checkpoint_id, content.delta_channels, {}};
    node.valued_channels.insert(content.inline_channels.begin(), content.inline_channels.end());
    for (const auto& [channel, version] : content.versions) {
      if (valued.contains(blob_field(checkpoint_ns, channel, version))) {
        node.valued_channels.insert(channel);
      }
    }
    nodes.push_back(std::move(node));
  }
  return DeltaDependencies(std::move(nodes));
}

void Erasure::add_checkpoint(const std::string& checkpoint_ns, const std::string& id) {
  places.push_back(place(checkpoint_ns, id));
  greatest = std::max(greatest, id);
}

void Erasure::add_unreferenced(const std::string& checkpoint_ns, const NamespaceView& view,
                               const std::vector<Content>& staying) {
  std::set<std::pair<std::string, std::string>> referenced;
  for (const Content& content : staying) {
    referenced.insert(content.versions.begin(), content.versions.end());
  }
  for (const auto& blob : view.blobs) {
    if (referenced.contains(blob)) continue;
    blobs.push_back(blob_field(checkpoint_ns, blob.first, blob.second));
  }
}

std::uint64_t erase(Writer& writer, const std::string& thread_id, const ThreadView& view,
                    const Erasure& erasure, const std::vector<std::string>& judged) {
  const Settings& settings = writer.settings();
  Transaction transaction(scripts::erase, {settings.prefix, thread_id});
  transaction.arguments = {thread_id,
                           std::to_string(settings.ttl.count()),
                           std::to_string(writer.now()),
                           view.generation,
                           std::to_string(view.changes),
                           new_nonce(),
                           erasure.greatest,
                           std::to_string(erasure.places.size()),
                           std::to_string(erasure.blobs.size()),
                           std::to_string(erasure.runs.size())};
  for (const auto* names : {&erasure.places, &erasure.blobs, &erasure.runs, &judged}) {
    transaction.arguments.insert(transaction.arguments.end(), names->begin(), names->end());
  }
  const Attempt attempt = writer.run(transaction);
  if (attempt.verdict() == "changed") throw Changed();
  return static_cast<std::uint64_t>(attempt.number(1));
}

}  // namespace threadkeep::redis
