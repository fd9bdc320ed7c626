// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "parameters.hpp"
#include "threadkeep/table_store.hpp"

/// \file
/// Ranges of rows by their key, and what they hold in a few bytes.

namespace threadkeep::postgres {

/// The condition that a row `t` lies in a range. Its values are added to the parameters, of which
/// there are `before` already. Refers to the range. Throws Error(invalid_argument) where the range
/// does not fit the key.
std::string lies_in(const tables::Table& table, const tables::KeyRange& range, int before,
                    Parameters& parameters);

/// What Snapshot::digest() and key_after() say. `condition` is one more, of rows that count.
tables::Digest digest_of(Connection& connection, const tables::Table& table,
                         const std::vector<tables::LineColumn>& columns,
                         const std::string& condition, const tables::KeyRange& range,
                         const Call& call);
/// The same, of the server's hashes of the values.
tables::Digest hashed_digest_of(Connection& connection, const tables::Table& table,
                                const std::vector<tables::LineColumn>& columns,
                                const std::string& condition, const tables::KeyRange& range,
                                const Call& call);
std::optional<tables::KeyValues> find_key_after(Connection& connection, const tables::Table& table,
                                                const tables::KeyValues& after, std::uint64_t rows,
                                                const Call& call);

}  // namespace threadkeep::postgres
