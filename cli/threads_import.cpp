// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "printable.hpp"
#include "progress.hpp"
#include "threads_archive.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Stores the threads of an archive as they were, under the same ids.\n"
    "\n"
    "Each thread is checked before anything of it is stored. What the store has already stays, so\n"
    "an import may be repeated, and one that was interrupted is run again. A thread that is there\n"
    "with other content is told as a conflict and left as it is; the others go on.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads import backup.jsonl.zst --url sqlite:new.db\n"
    "  threadkeep threads import backup.jsonl.zst --dry-run --json --url sqlite:new.db\n"
    "  threadkeep threads export --all --output - --url sqlite:agent.db |\n"
    "    threadkeep threads import - --url postgresql:///agents";

/// The bytes of a file or of the standard input. Closed with this object.
class Input {
 public:
  explicit Input(const std::string& path)
      : name_(path == "-" ? "the standard input" : path),
        descriptor_(path == "-" ? ::dup(STDIN_FILENO)
                                : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      throw Refusal{ExitStatus::usage, "not_found",
                    "cannot open " + printable(name_) + ": " + why()};
    }
    struct stat info {};
    if (::fstat(descriptor_, &info) == 0 && S_ISREG(info.st_mode)) {
      size_ = static_cast<std::uint64_t>(info.st_size);
    }
  }
  ~Input() { ::close(descriptor_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  std::size_t read(char* buffer, std::size_t size) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, buffer, size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0)
        throw Error(Code::unavailable, "cannot read " + printable(name_) + ": " + why());
      done_ += static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
  }

  std::uint64_t done() const { return done_; }
  /// Of a file.
  std::optional<std::uint64_t> size() const { return size_; }

 private:
  static std::string why() { return std::generic_category().message(errno); }

  std::string name_;
  int descriptor_;
  std::optional<std::uint64_t> size_;
  std::uint64_t done_ = 0;
};

std::uint64_t threads_of(const ops::ImportReport& report) {
  return report.restored + report.unchanged + report.failed;
}

}  // namespace

ThreadsImport::ThreadsImport(CLI::App& threads)
    : StoreCommand(threads, "import", description, examples) {
  default_timeout(std::chrono::hours(1));
  options().add_option("FILE", input_, "The archive, or - for the standard input")->required();
  options().add_flag("--dry-run", dry_run_,
                     "Check the archive, say what would be done, change nothing");
}

ExitStatus ThreadsImport::execute() {
  const Call limits = call();
  Input input(input_);
  const auto store = open_store(dry_run_ ? FirstUse::refuses : FirstUse::creates);
  Progress progress(json());
  ops::ArchiveReader reader(
      [&](char* buffer, std::size_t size) { return input.read(buffer, size); });
  ops::ImportReport report;
  ops::ImportOptions how;
  how.dry_run = dry_run_;
  how.problem = [&](const ops::ImportProblem& problem) {
    problems_.push_back(problem);
    if (json()) return;
    std::cerr << "threadkeep: thread '" << printable(problem.thread_id)
              << "': " << to_string(problem.code) << ": " << printable(problem.message) << "\n";
  };
  how.step = [&](const ops::ImportReport& so_far) {
    report = so_far;
    progress.step([&] {
      return Progress::State{input.done(), input.size(),
                             std::to_string(threads_of(so_far)) + " threads", input.done()};
    });
  };
  try {
    report = ops::import_threads(*store, reader, limits, how);
  } catch (const Error&) {
    if (!json()) print(report);
    throw;
  }
  print(report);
  return report.failed == 0 ? ExitStatus::done : ExitStatus::failed;
}

void ThreadsImport::print(const ops::ImportReport& report) const {
  if (json()) {
    nlohmann::json problems = nlohmann::json::array();
    for (const auto& problem : problems_) {
      problems.push_back({{"thread_id", problem.thread_id},
                          {"code", to_string(problem.code)},
                          {"message", problem.message}});
    }
    const nlohmann::json summary = {{"ok", report.failed == 0},
                                    {"dry_run", dry_run_},
                                    {"restored", report.restored},
                                    {"unchanged", report.unchanged},
                                    {"failed", report.failed},
                                    {"checkpoints", report.stored.checkpoints},
                                    {"blobs", report.stored.blobs},
                                    {"writes", report.stored.writes},
                                    {"messages", report.stored.messages},
                                    {"states", report.stored.states},
                                    {"problems", problems}};
    std::cout << summary.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return;
  }
  std::cout << (dry_run_ ? "would restore " : "restored ") << report.restored
            << (report.restored == 1 ? " thread" : " threads") << " with "
            << report.stored.checkpoints << " checkpoints; " << report.unchanged << " unchanged, "
            << report.failed << " with problems\n";
}

}  // namespace threadkeep::cli
