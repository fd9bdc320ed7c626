// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/archive_source.hpp"

#include <stdlib.h>

#include <archive/comparison.hpp>
#include <archive/reader.hpp>
#include <archive/thread_importer.hpp>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "migration/tier/store_contents.hpp"
#include "migration/tier/store_side.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::string_view scheme = "archive:";

std::filesystem::path private_directory() {
  std::string name = std::filesystem::temp_directory_path() / "threadkeep-archive-XXXXXX";
  if (mkdtemp(name.data()) != nullptr) return name;
  throw Error(Code::unavailable, "cannot make a directory in '" +
                                     std::filesystem::temp_directory_path().string() +
                                     "' for the threads of the archive; set TMPDIR to another");
}

}  // namespace

std::optional<std::string> archive_of(const std::string& url) {
  if (url.starts_with(scheme)) return url.substr(scheme.size());
  // No kind of store has such a URL.
  if (url.ends_with(".jsonl.zst") && url.find(':') == std::string::npos) return url;
  return {};
}

ArchiveSource::ArchiveSource(const std::string& file, const Call& call)
    : directory_(private_directory()) {
  try {
    store_ =
        store_at("sqlite:" + (directory_ / "threads.db").string() + "?synchronous=normal", call);
    import(file, call);
  } catch (...) {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    throw;
  }
}

ArchiveSource::~ArchiveSource() {
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ArchiveSource::import(const std::string& file, const Call& call) {
  std::ifstream in(file, std::ios::binary);
  ops::ArchiveReader reader([&](char* buffer, std::size_t size) {
    in.read(buffer, static_cast<std::streamsize>(size));
    if (!in.is_open() || in.bad()) {
      throw Error(Code::unavailable, "cannot read the archive '" + file + "'");
    }
    return static_cast<std::size_t>(in.gcount());
  });
  ops::ImportOptions options;
  options.problem = [&](const ops::ImportProblem& problem) {
    throw Error(problem.code, "thread '" + problem.thread_id + "' of the archive '" + file +
                                  "' cannot be read: " + problem.message);
  };
  ops::ThreadImporter importer(*store_, options);
  std::vector<ThreadNotesChange> times;
  while (const auto thread = reader.next()) {
    importer.add(*thread, ops::compare(*store_, *thread, call), call);
    if (!thread->info()) continue;
    ThreadNotesChange change;
    change.thread_id = thread->thread_id();
    change.created_at = thread->info()->created_at;
    change.updated_at = thread->info()->updated_at;
    times.push_back(std::move(change));
  }
  importer.flush(call);
  // Last, for whatever is written to a thread touches its times.
  if (auto* notes = StoreContents(*store_, StoreContents::Side::target).transfer())
    notes->change(times, call);
}

}  // namespace threadkeep::migration
