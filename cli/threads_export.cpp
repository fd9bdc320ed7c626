// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <archive/new_file.hpp>
#include <archive/writer.hpp>
#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "metadata_condition.hpp"
#include "printable.hpp"
#include "progress.hpp"
#include "threads_archive.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Writes threads with everything of them into one archive file.\n"
    "\n"
    "The archive is compressed JSON lines with checksums, the same from every kind of store, and\n"
    "can be imported into every kind of store. The file appears under its name when it is whole.\n"
    "The store may be in use meanwhile.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads export ada bob --output backup.jsonl.zst --url sqlite:agent.db\n"
    "  threadkeep threads export --all --output backup.jsonl.zst --url sqlite:agent.db\n"
    "  threadkeep threads export --metadata user=ada --output - --url sqlite:agent.db |\n"
    "    zstd -dc | jq .kind";

void write_to_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      throw Error(errno == ENOSPC ? Code::no_space : Code::unavailable,
                  "cannot write to the standard output: " + std::generic_category().message(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string text_of(std::uint64_t threads, const ops::Counts& counts) {
  return std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ") +
         std::to_string(counts.checkpoints) +
         (counts.checkpoints == 1 ? " checkpoint" : " checkpoints");
}

}  // namespace

ThreadsExport::ThreadsExport(CLI::App& threads)
    : StoreCommand(threads, "export", description, examples) {
  default_timeout(std::chrono::hours(1));
  auto* ids = options().add_option("THREAD", thread_ids_, "The ids of the threads");
  auto* all = options().add_flag("--all", all_, "All threads of the store")->excludes(ids);
  options()
      .add_option("--metadata", metadata_,
                  "All threads whose metadata has NAME=VALUE; may be repeated")
      ->excludes(ids)
      ->excludes(all);
  options()
      .add_option("--output", output_, "The file to write, or - for the standard output")
      ->required();
  options().add_flag("--overwrite", overwrite_, "Replace a file that is there");
}

void ThreadsExport::check_selection() const {
  if (thread_ids_.empty() && !all_ && metadata_.empty()) {
    throw Refusal{ExitStatus::usage, "invalid_argument",
                  "which threads? Name them, or say --metadata NAME=VALUE or --all"};
  }
  if (output_ != "-") return;
  if (json()) {
    throw Refusal{ExitStatus::usage, "invalid_argument",
                  "--json needs a file: the standard output is the archive"};
  }
  if (::isatty(STDOUT_FILENO) == 1) {
    throw Refusal{ExitStatus::usage, "invalid_argument",
                  "an archive is nothing for a terminal; name a file, or add a pipe"};
  }
}

std::uint64_t ThreadsExport::write_archive(const ops::Sink& sink) {
  const Call limits = call();
  const auto store = open_store();
  ops::ExportSelection selection{thread_ids_, {}};
  for (const std::string& text : metadata_) selection.filter.push_back(metadata_condition(text));
  Progress progress(json());
  // Counting costs a listing; a person waits for the bar that it makes.
  std::optional<std::uint64_t> total;
  if (::isatty(STDERR_FILENO) == 1) total = ops::count_threads(*store, selection, limits);
  std::uint64_t bytes = 0;
  ops::ArchiveWriter writer([&](std::string_view part) {
    bytes += part.size();
    sink(part);
  });
  const auto state = [&] {
    return Progress::State{writer.threads(), total, text_of(writer.threads(), writer.counts()),
                           bytes};
  };
  ops::export_threads(*store, selection, writer, limits, [&] { progress.step(state); });
  writer.finish();
  threads_ = writer.threads();
  counts_ = writer.counts();
  return bytes;
}

void ThreadsExport::print(std::uint64_t bytes) const {
  if (json()) {
    const nlohmann::json summary = {{"ok", true},
                                    {"threads", threads_},
                                    {"checkpoints", counts_.checkpoints},
                                    {"blobs", counts_.blobs},
                                    {"writes", counts_.writes},
                                    {"messages", counts_.messages},
                                    {"states", counts_.states},
                                    {"bytes", bytes}};
    std::cout << summary.dump() << "\n";
    return;
  }
  auto& out = output_ == "-" ? std::cerr : std::cout;
  out << "exported " << text_of(threads_, counts_) << ", " << size_text(bytes);
  if (output_ != "-") out << ", to " << printable(output_);
  out << "\n";
}

ExitStatus ThreadsExport::execute() {
  check_selection();
  try {
    if (output_ == "-") {
      print(write_archive(write_to_output));
      return ExitStatus::done;
    }
    ops::NewFile file(output_, overwrite_);
    const auto bytes = write_archive([&](std::string_view part) { file.write(part); });
    file.finish();
    print(bytes);
  } catch (const ops::NoThread& missing) {
    throw no_thread("checkpoints", missing.thread_id, store_name());
  } catch (const Error& error) {
    if (error.code() != Code::duplicate) throw;
    throw Refusal{ExitStatus::usage, "duplicate", error.message()};
  }
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
