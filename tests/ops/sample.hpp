// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <threadkeep/threadkeep.hpp>
#include <vector>

#include "archive/import_threads.hpp"

/// \file
/// Stores to be archived, and what they hold.

namespace threadkeep::ops {

/// Fills a store with random threads: forks, circles of parents, namespaces, shared blobs, pending
/// writes with and without a checkpoint, awkward ids and texts. Equal seeds do the same.
void fill(Store& store, std::uint64_t seed, std::size_t threads = 6);

/// Everything that can be read of a thread: one text for each part, JSON by value. Times and the
/// revision are left out, which no interface can set.
std::vector<std::string> contents(Store& store, const std::string& thread_id);

/// Of all threads that are listed, and of those that `fill` gives nothing but writes.
std::vector<std::string> contents(Store& store);

/// The id of a thread that has only writes whose checkpoint is not stored.
inline constexpr char writes_only[] = "writes only";

/// An archive of the selected threads; of all that fill() made, when none are.
std::string archive_of(Store& store, const std::vector<std::string>& thread_ids = {});

struct Imported {
  ImportReport report;
  std::vector<ImportProblem> problems;
};

Imported import(Store& store, const std::string& archive, bool dry_run = false);

/// The lines of an archive as they are before compression, and back.
std::string decompressed(const std::string& archive);
std::string compressed(const std::string& lines);

Source source_of(const std::string& bytes);

inline std::shared_ptr<Store> new_memory() {
  return open("memory:");
}

}  // namespace threadkeep::ops
