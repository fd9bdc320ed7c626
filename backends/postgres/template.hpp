// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layout.hpp"

namespace threadkeep::postgres {

/// `name` as an SQL identifier, always in quotes.
std::string quote_identifier(std::string_view name);

/// Names in a template and what stands for them: `{"{rows}", "..."}`.
using Pieces = std::vector<std::pair<std::string_view, std::string>>;

/// Replaces the names one after the other, so that a piece may hold names of later ones.
std::string fill(std::string_view text, const Pieces& pieces);

/// The text of a template of sql/ for one layout: `{schema}` becomes the quoted schema with its
/// dot, `{c}` the collation by which ids are ordered (` COLLATE "C"`, or nothing where the columns
/// are in the order of their bytes already). `more` replaces further names first.
std::string render(std::string_view text, const Layout& layout, const Pieces& more = {});

}  // namespace threadkeep::postgres
