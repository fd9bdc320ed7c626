// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive/archive_directory.hpp"
#include "archive/reader.hpp"
#include "ops/sample.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::retention_test {

/// A directory of archives that sweeps write.
class Archives {
 public:
  /// `after` is called when something was archived, before it is deleted.
  retention::SweepOptions options(
      Store& store, std::uint32_t batch_size = 1000, std::function<void()> after = [] {}) const {
    retention::SweepOptions options;
    options.batch_size = batch_size;
    const auto directory = std::make_shared<ops::ArchiveDirectory>(store, directory_.path());
    options.archive = retention::Archive{
        .keep =
            [=](std::int64_t run, const std::vector<std::string>& threads, const Call& call) {
              const auto name = directory->keep("run" + std::to_string(run), threads, call);
              after();
              return name;
            },
        .forget = ops::ArchiveDirectory::forget};
    return options;
  }

  /// Those that are whole, by the time in their names.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      if (entry.path().extension() == ".zst") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }

  static std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// The threads of all archives, each of which must be right to its end.
  std::set<std::string> threads() const {
    std::set<std::string> ids;
    for (const auto& file : files()) {
      const std::string bytes = bytes_of(file);
      ops::ArchiveReader reader(ops::source_of(bytes));
      while (const auto thread = reader.next()) ids.insert(thread->thread_id());
    }
    return ids;
  }

  /// The newest first; no thread may have a problem.
  void import_into(Store& store) const {
    auto all = files();
    std::ranges::reverse(all);
    for (const auto& file : all) {
      for (const auto& problem : ops::import(store, bytes_of(file)).problems) {
        ADD_FAILURE() << problem.thread_id << ": " << problem.message;
      }
    }
  }

  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  testing::TemporaryDirectory directory_;
};

}  // namespace threadkeep::retention_test
