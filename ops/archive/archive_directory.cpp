// SPDX-License-Identifier: Apache-2.0
#include "archive/archive_directory.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "archive/export_threads.hpp"
#include "archive/new_file.hpp"
#include "archive/writer.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

// "20260131T235959.123456Z", so that names are in the order of their times.
std::string time_now() {
  using namespace std::chrono;
  const auto now = time_point_cast<microseconds>(system_clock::now());
  const std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(now));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ",
                static_cast<int>(now.time_since_epoch().count() % 1'000'000));
  return std::string(text.data()) + fraction.data();
}

std::filesystem::path existing(const std::filesystem::path& directory) {
  std::error_code none;
  if (std::filesystem::is_directory(directory, none)) return std::filesystem::absolute(directory);
  throw Error(Code::invalid_argument,
              directory.string() + " is no directory; create it, for archives alone");
}

}  // namespace

ArchiveDirectory::ArchiveDirectory(Store& store, const std::filesystem::path& directory)
    : store_(store), directory_(existing(directory)) {
  NewFile((directory_ / ("test-" + std::to_string(::getpid()))).string(), false).write("x");
}

std::string ArchiveDirectory::keep(const std::string& label,
                                   const std::vector<std::string>& thread_ids, const Call& call) {
  std::string path = directory_ / (time_now() + "-" + label + ".jsonl.zst");
  NewFile file(path, false);
  ArchiveWriter writer([&](std::string_view bytes) { file.write(bytes); });
  const ExportSelection selection{.thread_ids = thread_ids, .filter = {}, .skip_absent = true};
  export_threads(store_, selection, writer, call, [] {});
  writer.finish();
  file.finish();
  return path;
}

void ArchiveDirectory::forget(const std::string& archive) noexcept {
  std::error_code none;
  std::filesystem::remove(archive, none);
}

}  // namespace threadkeep::ops
