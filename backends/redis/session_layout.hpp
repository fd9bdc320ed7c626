// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "threadkeep/mutation.hpp"

/// \file
/// How messages, documents and records of operations are stored, as docs/storage/redis.md describes
/// it. Pure functions. Those that decode throw Error(corrupt).

namespace threadkeep::redis {

/// A number that is not negative as a text that sorts by its value.
std::string sortable(std::int64_t number);

/// What the members of the index begin with: of the messages of a stream, and of those with one
/// seq.
std::string stream_start(std::string_view stream);
std::string seq_start(std::string_view stream, std::int64_t seq);

/// A value without stream, seq and id, which the member of the index has.
std::string encode_message(const Message& message);
Message decode_message(std::string_view member, std::string_view value);

/// A document without its version and the space after it. It begins with sixteen digits that are
/// the same for equal values.
std::string encode_document_value(std::string_view value);
StateDocument decode_document(std::string_view key, std::string_view value);

/// What a mutation of messages or state did; it stays with an operation that has a name.
Written decode_record(std::string_view record);

}  // namespace threadkeep::redis
