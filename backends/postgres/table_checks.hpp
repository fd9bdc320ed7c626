// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

/// \file
/// What is looked after when all rows are there: sequences and references.

namespace threadkeep::postgres {

/// Moves each sequence on by whole steps until it has passed the values of its column; never back.
/// How many moved.
std::uint64_t advance_sequences(Connection& connection, const tables::Table& table,
                                const Call& call);

std::vector<tables::SequenceBehind> find_sequences_behind(Connection& connection,
                                                          const tables::Table& table,
                                                          const Call& call);

/// Only foreign keys that have some.
std::vector<tables::Orphans> find_orphans(Connection& connection, const tables::Table& table,
                                          const Call& call);

}  // namespace threadkeep::postgres
