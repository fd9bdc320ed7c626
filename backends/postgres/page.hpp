// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "connection.hpp"
#include "threadkeep/model.hpp"

/// \file
/// What the two listings share.

namespace threadkeep::postgres {

/// The most rows of a page, whatever its limit: a page may always end before its limit.
inline constexpr std::size_t most_items = 1000;

/// As many rows as a page of this limit has, and one that tells whether there are more.
std::int64_t rows_for(std::size_t limit) noexcept;

/// For a parameter.
std::int64_t clamped(std::size_t bytes) noexcept;

void add_filter(Parameters& parameters, const std::vector<MetadataEquals>& filter);

/// Runs a statement that is not to be prepared.
Result run_once(Connection& connection, const Statement& statement, Parameters parameters,
                const Call& call);

}  // namespace threadkeep::postgres
