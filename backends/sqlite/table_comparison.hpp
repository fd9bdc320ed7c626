// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite {

/// Compares on a connection of its own, with the keys in a temporary table. Rows of tables without
/// a key are compared as a whole and counted.
std::unique_ptr<tables::Comparison> compare(const Settings& settings, const tables::Target& target,
                                            const Call& call);

}  // namespace threadkeep::sqlite
