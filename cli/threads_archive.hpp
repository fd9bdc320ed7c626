// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive/export_threads.hpp>
#include <archive/import_threads.hpp>
#include <string>
#include <vector>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads export`: threads into an archive.
class ThreadsExport final : public StoreCommand {
 public:
  explicit ThreadsExport(CLI::App& threads);

 private:
  ExitStatus execute() override;
  void check_selection() const;
  /// Writes the archive to `sink`; how many bytes it has.
  std::uint64_t write_archive(const ops::Sink& sink);
  void print(std::uint64_t bytes) const;

  std::vector<std::string> thread_ids_;
  bool all_ = false;
  std::vector<std::string> metadata_;
  std::string output_;
  bool overwrite_ = false;

  std::uint64_t threads_ = 0;
  ops::Counts counts_;
};

/// `threadkeep threads import`: the threads of an archive into a store.
class ThreadsImport final : public StoreCommand {
 public:
  explicit ThreadsImport(CLI::App& threads);

 private:
  ExitStatus execute() override;
  void print(const ops::ImportReport& report) const;

  std::string input_;
  bool dry_run_ = false;
  std::vector<ops::ImportProblem> problems_;
};

}  // namespace threadkeep::cli
