// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "threadkeep/bytes.hpp"
#include "threadkeep/model.hpp"

namespace threadkeep {

/// A checkpoint, and what Backend::head() said of it.
struct VersionedTuple {
  std::string version;
  CheckpointTuple tuple;
};

/// As one value. Beside the CBOR of mutation_codec.hpp, which people can read with any tool,
/// because a copy is read at the start of each turn and may be many MiB: payloads are copied once.
/// The first byte names the form, so that a later one can be told; then follows a checksum of all
/// the rest.
Bytes encode_tuple(const VersionedTuple& entry);

/// The same again; payloads share the memory of `value`. Nothing where the value is damaged, cut,
/// or of another form.
std::optional<VersionedTuple> decode_tuple(const Bytes& value);

}  // namespace threadkeep
