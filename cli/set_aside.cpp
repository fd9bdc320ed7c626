// SPDX-License-Identifier: Apache-2.0
#include "set_aside.hpp"

#include <algorithm>
#include <archive/base64.hpp>
#include <archive/new_file.hpp>
#include <iostream>

#include "checkpoint_view.hpp"
#include "not_empty.hpp"
#include "printable.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr std::size_t page_bytes = 4 << 20;

constexpr const char* list_description =
    "Lists what a store refused for good of what a program accepted in an outage.\n"
    "\n"
    "It is kept in the journal of the program's fallback, and its thread goes on without it.";

constexpr const char* list_examples =
    "Examples:\n"
    "  threadkeep set-aside list --store prod\n"
    "  threadkeep set-aside list --url sqlite:/var/lib/agent/journal.db --json";

constexpr const char* export_description =
    "Writes what was set aside into a file, a JSON object a line, with all that it was to store.\n"
    "\n"
    "Bytes are objects with one member, base64.";

constexpr const char* export_examples =
    "Example:\n"
    "  threadkeep set-aside export --output aside.jsonl --store prod";

constexpr const char* drop_description =
    "Drops what was set aside, for ever. Without --yes it only shows what that would be.\n"
    "\n"
    "The program may run meanwhile. It goes on refusing what builds on it until it ends.";

constexpr const char* drop_examples =
    "Examples:\n"
    "  threadkeep set-aside drop 17 18 --store prod\n"
    "  threadkeep set-aside drop --all --yes --store prod";

Json json_of(const SetAsideEntry& item) {
  const JournalRecord& record = item.entry.record;
  return {{"seq", item.entry.seq}, {"lane", record.lane},   {"kind", record.kind},
          {"at", item.at},         {"reason", item.reason}, {"bytes", record.body.size()}};
}

std::string base64(std::string_view bytes) {
  std::string text;
  ops::append_base64(text, bytes);
  return text;
}

// JSON has no bytes.
Json without_bytes(const Json& value) {
  if (value.is_binary()) {
    const auto& bytes = value.get_binary();
    return {{"base64", base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()})}};
  }
  if (!value.is_structured()) return value;
  Json copy = value;
  for (auto& member : copy) member = without_bytes(member);
  return copy;
}

// A body is an array of a version, the operation and its arguments.
Json whole_json_of(const SetAsideEntry& item) {
  Json json = json_of(item);
  const std::string_view body = item.entry.record.body.view();
  const Json read = Json::from_cbor(body, true, false);
  if (read.is_array() && read.size() == 3) {
    json["operation"] = read[1];
    json["arguments"] = without_bytes(read[2]);
  } else {
    json["body"] = {{"base64", base64(body)}};
  }
  return json;
}

std::string count_text(std::size_t entries) {
  return std::to_string(entries) + (entries == 1 ? " entry" : " entries");
}

}  // namespace

std::string SetAsideCommand::journal_url() const {
  return Url::parse(url()).take("fallback").value_or(url());
}

std::string SetAsideCommand::journal_name() const {
  return Url::parse(journal_url()).redacted();
}

Journal& SetAsideCommand::journal() {
  if (!store_) {
    const std::string address = journal_url();
    if (Url::parse(address).scheme() == "memory") {
      throw Refusal{ExitStatus::usage, "unsupported",
                    "a journal in memory is seen by its process alone; the log of that has named "
                    "what was set aside"};
    }
    Environment environment = Environment::system();
    environment.first_use = FirstUse::refuses;
    store_ = Registry::builtin().open_for_tools(address, environment);
  }
  if (Journal* journal = store_->journal()) return *journal;
  throw Refusal{ExitStatus::usage, "unsupported",
                "this store has no fallback in its URL and is no journal; name a store with "
                "fallback=sqlite:PATH, or the journal itself"};
}

void SetAsideCommand::for_each(const std::function<void(const SetAsideEntry&)>& use,
                               const Call& call) {
  std::int64_t last = 0;
  for (auto page = journal().set_aside_entries(last, page_bytes, call); !page.empty();
       page = journal().set_aside_entries(last, page_bytes, call)) {
    for (const SetAsideEntry& item : page) use(item);
    last = page.back().entry.seq;
  }
}

SetAsideList::SetAsideList(CLI::App& parent)
    : SetAsideCommand(parent, "list", list_description, list_examples) {
  print_by_pager();
}

ExitStatus SetAsideList::execute() {
  const Call limits = call();
  journal();
  if (json()) {
    JsonList list("entries");
    for_each([&](const SetAsideEntry& item) { list.add(json_of(item)); }, limits);
    list.end({{"ok", true}});
    return ExitStatus::done;
  }
  Table table({"SEQ", "TIME", "LANE", "KIND", "BYTES", "REASON"});
  std::size_t count = 0;
  const auto add = [&](const SetAsideEntry& item) {
    const JournalRecord& record = item.entry.record;
    table.add({std::to_string(item.entry.seq), time_text(item.at), record.lane, record.kind,
               size_text(record.body.size()), item.reason});
    ++count;
  };
  for_each(add, limits);
  if (count == 0) {
    std::cout << "nothing is set aside in " << journal_name() << "\n";
  } else {
    table.print(std::cout, terminal_width());
  }
  return ExitStatus::done;
}

SetAsideExport::SetAsideExport(CLI::App& parent)
    : SetAsideCommand(parent, "export", export_description, export_examples) {
  options().add_option("--output", output_, "The file to write")->required()->check(not_empty());
  options().add_flag("--overwrite", overwrite_, "Replace a file that is there");
}

ExitStatus SetAsideExport::execute() {
  std::size_t count = 0;
  try {
    journal();
    ops::NewFile file(output_, overwrite_);
    const auto write = [&](const SetAsideEntry& item) {
      file.write(json_text(whole_json_of(item)) + "\n");
      ++count;
    };
    for_each(write, call());
    file.finish();
  } catch (const Error& error) {
    if (error.code() != Code::duplicate) throw;
    throw Refusal{ExitStatus::usage, "duplicate", error.message()};
  }
  if (json()) {
    std::cout << json_text({{"ok", true}, {"entries", count}}) << "\n";
  } else {
    std::cout << "exported " << count_text(count) << " to " << printable(output_) << "\n";
  }
  return ExitStatus::done;
}

SetAsideDrop::SetAsideDrop(CLI::App& parent)
    : SetAsideCommand(parent, "drop", drop_description, drop_examples) {
  auto* seqs = options().add_option("SEQ", seqs_, "The numbers of the entries");
  options().add_flag("--all", all_, "All of them")->excludes(seqs);
  options().add_flag("--yes", yes_, "Drop them");
}

std::vector<SetAsideEntry> SetAsideDrop::chosen_entries(const Call& call) {
  std::vector<SetAsideEntry> entries;
  std::vector<std::int64_t> missing = seqs_;
  const auto choose = [&](const SetAsideEntry& item) {
    const bool is_named = std::erase(missing, item.entry.seq) > 0;
    if (!all_ && !is_named) return;
    entries.push_back(item);
    entries.back().entry.record.body = {};
  };
  for_each(choose, call);
  if (missing.empty()) return entries;
  throw Refusal{ExitStatus::failed, "not_found",
                "no entry " + std::to_string(missing.front()) + " is set aside in " +
                    journal_name() +
                    "; `threadkeep set-aside list` shows them. Nothing was dropped"};
}

ExitStatus SetAsideDrop::execute() {
  if (seqs_.empty() && !all_) {
    throw Refusal{ExitStatus::usage, "invalid_argument", "which entries? Name them, or say --all"};
  }
  const Call limits = call();
  const auto entries = chosen_entries(limits);
  if (!yes_) {
    return tell(
        "nothing was dropped: this is a dry run of " + count_text(entries.size()) + ", say --yes",
        entries);
  }
  std::vector<std::int64_t> seqs;
  for (const SetAsideEntry& item : entries) seqs.push_back(item.entry.seq);
  if (!seqs.empty()) journal().drop_set_aside(seqs, limits);
  return tell("dropped " + count_text(entries.size()), entries);
}

ExitStatus SetAsideDrop::tell(const std::string& message,
                              const std::vector<SetAsideEntry>& entries) const {
  if (json()) {
    Json list = Json::array();
    for (const SetAsideEntry& item : entries) list.push_back(item.entry.seq);
    std::cout << json_text({{"ok", true}, {"dry_run", !yes_}, {"entries", list}}) << "\n";
    return ExitStatus::done;
  }
  for (const SetAsideEntry& item : entries) {
    std::cout << item.entry.seq << ": " << item.entry.record.kind << " of "
              << printable(item.entry.record.lane) << "\n";
  }
  std::cout << message << "\n";
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
