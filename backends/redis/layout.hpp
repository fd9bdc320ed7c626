// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "threadkeep/mutation.hpp"

/// \file
/// What is stored, byte by byte, as docs/storage/redis.md describes it: names of keys, of fields
/// and of members of the index, and the texts of values. Pure functions.

namespace threadkeep::redis {

inline constexpr int format_version = 2;
inline constexpr unsigned buckets = 256;

/// The bucket of a thread, which is the hash tag of its keys.
unsigned bucket_of(std::string_view thread_id) noexcept;

/// The keys of one thread and of its bucket, as every script takes them.
struct Keys {
  Keys(const std::string& prefix, std::string_view thread_id);
  /// Those of a named scope are its own too, but for the registry, which it is not in.
  Keys(const std::string& prefix, const StateScope& scope);
  /// Of a bucket alone: those of a thread are its registry, so that all are in its slot.
  Keys(const std::string& prefix, unsigned bucket);

  std::string thread;
  std::string index;
  std::string registry;
  std::string deadlines;
  std::string orders;
  std::string tombstones;
};

/// The keys of what retention writes down. Scripts on them take these two as thread and index.
Keys notes_keys(const std::string& prefix);
/// Of the lock of migrations.
std::string migration_key(const std::string& prefix);

std::string meta_key(const std::string& prefix);
std::string registry_key(const std::string& prefix, unsigned bucket);

/// Namespace and checkpoint id as they stand in names.
std::string place(std::string_view checkpoint_ns, std::string_view checkpoint_id);
std::string checkpoint_field(std::string_view place);
std::string blob_field(std::string_view checkpoint_ns, std::string_view channel,
                       std::string_view version);
/// The end of the field of a write, after its place and a NUL.
std::string write_suffix(const PendingWrite& write);

/// The parts of a name, which NUL separates: "b", then three; "w", then four. Throws Error(corrupt)
/// when there are not so many.
std::vector<std::string_view> name_parts(std::string_view name, std::size_t parts);

/// A checkpoint as it is stored in one value.
struct Content {
  using Versions = std::vector<std::pair<std::string, std::string>>;

  Versions versions;  ///< Of the document: channel and version.
  std::vector<std::string> inline_channels;
  std::vector<std::string> delta_channels;  ///< See threadkeep::delta_channels.
  std::optional<std::string> run_id;
  std::optional<std::string> parent_checkpoint_id;
  std::string metadata;
  std::string document;
};

/// Everything before the document, which ends the value.
std::string encode_before_document(const PutCheckpoint& put);
/// Throws Error(corrupt), as all functions that decode.
Content decode_content(std::string_view value);

/// A blob or a write without its data, which ends the value. The first byte says how the data is
/// encoded; `0` is as it is.
std::string encode_before_data(const Blob& blob);
std::string encode_before_data(const PendingWrite& write);

/// A value taken apart; `data` begins at an offset in it.
struct DecodedBlob {
  std::string_view type;
  std::size_t data;
};
DecodedBlob decode_blob(std::string_view value);

struct DecodedWrite {
  std::string_view channel;
  std::string_view type;
  std::string_view task_path;
  std::size_t data;
};
DecodedWrite decode_write(std::string_view value);

/// The record about a thread as a whole.
struct Head {
  bool has_info = false;  ///< Not when there are only writes, or a tombstone.
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::int64_t revision = 0;
  std::int64_t items = 0;    ///< Checkpoints, messages and documents.
  std::int64_t changes = 0;  ///< Of checkpoints.
  std::string generation;    ///< Another one after each deletion.
  std::string tombstone;     ///< Empty where nothing was deleted.
};
Head decode_head(std::string_view value);

}  // namespace threadkeep::redis
