// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <threadkeep/table_store.hpp>
#include <vector>

namespace threadkeep::migration {

/// The digest that an engine with digests makes of these rows, made here from their lines.
tables::Digest digest_of_lines(std::string_view lines,
                               const std::vector<tables::LineColumn>& columns);

/// The values in these columns of the last line.
tables::KeyValues last_key(std::string_view lines, const std::vector<std::size_t>& places);

}  // namespace threadkeep::migration
