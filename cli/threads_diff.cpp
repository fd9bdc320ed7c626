// SPDX-License-Identifier: Apache-2.0
#include "threads_diff.hpp"

#include <iostream>
#include <set>

#include "checkpoint_diff.hpp"
#include "checkpoint_name.hpp"
#include "checkpoint_view.hpp"
#include "json_output.hpp"
#include "printable.hpp"
#include "terminal.hpp"
#include "text_diff.hpp"

namespace threadkeep::cli {

namespace {

using Checkpoints = std::vector<CheckpointTuple>;

const std::string description =
    "Compares two checkpoints: channels, metadata, and what tasks wrote between them.\n"
    "\n"
    "Without BEFORE and AFTER it shows what the last step changed. " +
    std::string(checkpoint_names) +
    "\n"
    "\n"
    "Values are shown where the type is safe to decode: JSON, text and MessagePack.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads diff ada --url sqlite:agent.db\n"
    "  threadkeep threads diff ada latest~3 latest --url sqlite:agent.db\n"
    "  threadkeep threads diff ada latest latest --other-thread bob --url sqlite:agent.db";

constexpr std::size_t text_limit = 100'000;

// Two checkpoints and what lies between them.
struct Comparison {
  CheckpointTuple before;
  CheckpointTuple after;
  bool is_ancestor = false;  // of `after`
  Checkpoints way;           // from `before` on, oldest first, without `after`; with writes
};

std::optional<CheckpointTuple> read(Store& store, const CheckpointTuple& key, Include include,
                                    const Call& call) {
  return store.get({key.thread_id, key.checkpoint_ns, key.checkpoint_id, include}, call);
}

// Goes back from `after` until it meets `before`, or a checkpoint that is not there.
void find_way(Store& store, Comparison& comparison, const Call& call) {
  if (comparison.before.thread_id != comparison.after.thread_id) return;
  Checkpoints way;
  std::set<std::string> seen;
  auto parent = comparison.after.parent_checkpoint_id;
  while (parent && seen.insert(*parent).second) {
    auto found = store.get({comparison.after.thread_id,
                            comparison.after.checkpoint_ns,
                            *parent,
                            {.values = false, .writes = true}},
                           call);
    if (!found) return;
    parent = found->parent_checkpoint_id;
    way.push_back(std::move(*found));
    if (way.back().checkpoint_id != comparison.before.checkpoint_id) continue;
    comparison.is_ancestor = true;
    comparison.way.assign(std::make_move_iterator(way.rbegin()),
                          std::make_move_iterator(way.rend()));
    return;
  }
}

Json json_of(const CheckpointTuple& checkpoint) {
  return {{"thread_id", checkpoint.thread_id},
          {"checkpoint_ns", checkpoint.checkpoint_ns},
          {"checkpoint_id", checkpoint.checkpoint_id},
          {"time", view(checkpoint, nullptr, 0).time}};
}

Json json_of(const std::optional<DiffValue>& value) {
  if (!value) return nullptr;
  return {{"type", value->type}, {"bytes", value->bytes}, {"text", value->text}};
}

Json json_of(const std::optional<std::string>& json) {
  return json ? stored_json(*json) : Json();
}

const char* change_of(const ChannelDiff& channel) {
  if (!channel.before) return "added";
  return channel.after ? "changed" : "removed";
}

Json json_of(const Comparison& comparison, const CheckpointDiff& diff) {
  Json channels = Json::array();
  for (const auto& channel : diff.channels) {
    channels.push_back({{"channel", channel.name},
                        {"change", change_of(channel)},
                        {"before", json_of(channel.before)},
                        {"after", json_of(channel.after)}});
  }
  Json metadata = Json::array();
  for (const auto& [name, before, after] : diff.metadata) {
    metadata.push_back({{"name", name}, {"before", json_of(before)}, {"after", json_of(after)}});
  }
  Json writes = Json::array();
  for (const auto& checkpoint : comparison.way) {
    for (const TaskView& task : view(checkpoint, nullptr, text_limit).tasks) {
      for (const ChannelView& write : task.writes) {
        writes.push_back({{"checkpoint_id", checkpoint.checkpoint_id},
                          {"task", task.name},
                          {"channel", write.name},
                          {"type", write.type},
                          {"bytes", write.bytes},
                          {"text", write.text}});
      }
    }
  }
  return {{"before", json_of(comparison.before)},
          {"after", json_of(comparison.after)},
          {"is_ancestor", comparison.is_ancestor},
          {"steps", comparison.way.size()},
          {"metadata", metadata},
          {"channels", channels},
          {"unchanged", diff.unchanged},
          {"writes", writes}};
}

// Prints a comparison for people.
class Report {
 public:
  Report() : width_(terminal_width()) {}

  void print(const Comparison& comparison, const CheckpointDiff& diff) const {
    print_heading(comparison);
    for (const auto& [name, before, after] : diff.metadata) {
      line("metadata " + printable(name) + ": " + printable(before.value_or("none")) + " → " +
           printable(after.value_or("none")));
    }
    for (const auto& channel : diff.channels) print(channel);
    if (diff.unchanged > 0) {
      line(std::to_string(diff.unchanged) +
           (diff.unchanged == 1 ? " channel is" : " channels are") + " the same");
    }
    for (const auto& checkpoint : comparison.way) print_writes(checkpoint);
    if (diff.metadata.empty() && diff.channels.empty()) line("no difference");
  }

 private:
  static constexpr std::size_t indent = 4;

  void line(const std::string& text) const {
    std::cout << (width_ > 0 ? shortened(text, width_) : text) << "\n";
  }
  // `mark` may have colours; it takes `indent` columns.
  void indented(const std::string& mark, const std::string& text) const {
    std::cout << mark << (width_ > indent ? shortened(text, width_ - indent) : text) << "\n";
  }

  static std::string side(const CheckpointTuple& checkpoint) {
    const CheckpointView parts = view(checkpoint, nullptr, 0);
    return printable(checkpoint.thread_id) + "  " + bold("step " + printable(parts.step)) + "  " +
           parts.time + "  " + faint(printable(checkpoint.checkpoint_id));
  }

  static void print_heading(const Comparison& comparison) {
    std::cout << "before  " << side(comparison.before) << "\n"
              << "after   " << side(comparison.after) << "\n";
    const auto steps = comparison.way.size();
    if (steps > 1) std::cout << faint(std::to_string(steps) + " steps later") << "\n";
    const bool same = comparison.before.checkpoint_id == comparison.after.checkpoint_id;
    if (steps == 0 && !same) std::cout << faint("on another line: not an ancestor") << "\n";
  }

  static std::string size_of(const DiffValue& value) {
    return printable(value.type) + ", " + size_text(value.bytes);
  }

  void print(const ChannelDiff& channel) const {
    std::string sizes = channel.before ? size_of(*channel.before) : size_of(*channel.after);
    if (channel.before && channel.after) sizes += " → " + size_of(*channel.after);
    std::cout << bold(change_of(channel)) << " " << printable(channel.name) << " "
              << faint("(" + sizes + ")") << "\n";
    const auto lines = [](const std::optional<DiffValue>& value) {
      return value && !value->text.empty() ? broken_lines(value->text) : std::vector<std::string>();
    };
    const auto changes = text_diff(lines(channel.before), lines(channel.after));
    for (const DiffLine& change : changes) print(change);
    const bool decoded = channel.before && channel.after && !channel.before->text.empty();
    if (changes.empty() && decoded)
      indented("    ", "(the difference is not in what can be shown)");
  }

  void print(const DiffLine& change) const {
    switch (change.kind) {
      case DiffLine::Kind::both:
        return indented("    ", change.text);
      case DiffLine::Kind::before:
        return indented(removed("  - "), change.text);
      case DiffLine::Kind::after:
        return indented(added("  + "), change.text);
    }
  }

  void print_writes(const CheckpointTuple& checkpoint) const {
    for (const TaskView& task : view(checkpoint, nullptr, text_limit).tasks) {
      for (const ChannelView& write : task.writes) {
        line("written " + printable(task.name) + " → " + printable(write.name) + " (" +
             printable(write.type) + ", " + size_text(write.bytes) + ")" +
             (write.text.empty() ? "" : ": " + write.text));
      }
    }
  }

  const std::size_t width_;
};

}  // namespace

ThreadsDiff::ThreadsDiff(CLI::App& threads) : StoreCommand(threads, "diff", description, examples) {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("BEFORE", before_, "A checkpoint, latest~1 if not given");
  options().add_option("AFTER", after_, "A checkpoint, latest if not given");
  options().add_option("--other-thread", other_thread_id_, "AFTER is of this thread");
  options().add_option("--namespace", ns_, "The namespace of both, the root graph if not given");
  print_by_pager();
}

ExitStatus ThreadsDiff::execute() {
  const Call limits = call();
  const auto store = open_store();
  const auto find = [&](const std::string& thread_id, const std::string& name) {
    auto key = find_checkpoint(*store, thread_id, ns_, name, limits);
    auto whole = read(*store, key, {.values = true, .writes = false}, limits);
    return whole ? std::move(*whole) : std::move(key);
  };
  Comparison comparison;
  comparison.before = find(thread_id_, before_);
  comparison.after = find(other_thread_id_.empty() ? thread_id_ : other_thread_id_, after_);
  find_way(*store, comparison, limits);
  const CheckpointDiff difference = diff(comparison.before, comparison.after, text_limit);
  if (json()) {
    std::cout << json_text(json_of(comparison, difference)) << "\n";
  } else {
    Report().print(comparison, difference);
  }
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
