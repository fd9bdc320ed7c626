// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"

namespace threadkeep::postgres {

/// One step by which a schema comes to the form that this program uses. A released step never
/// changes: a new form is a new step.
struct Step {
  int version = 0;
  std::string_view name;
  /// First use does it, and nothing works without it. Other steps touch LangGraph's tables and are
  /// done by setup(); what they give is looked up in the catalogs and not in the ledger.
  bool first_use = false;
  /// The oldest store version whose programs may still use a schema with this step.
  int oldest_reader = 1;
  /// Of the SQL, without its comments and blanks.
  std::string checksum;
};

namespace step {
inline constexpr int own_tables = 1;
inline constexpr int langgraph_tables = 2;
inline constexpr int index_run_id = 3;
inline constexpr int index_order = 4;
inline constexpr int index_thread = 5;
inline constexpr int session_tables = 6;
inline constexpr int tombstone_times = 7;
}  // namespace step

/// The store version of this program: its newest step.
inline constexpr int store_version = step::tombstone_times;

/// In the order of their versions, which have no gaps.
std::span<const Step> steps();
const Step& find_step(int version);

bool is_finished(const Catalog& catalog, const Step& step);

/// What threadkeep_migrations means for this program.
struct Verdict {
  std::optional<Error> refusal;       ///< Why the schema must not be used.
  std::vector<std::string> warnings;  ///< It may, but this should be known.
};
Verdict judge_ledger(const Catalog& catalog);

/// Templates that record that a step begins (once more) and that it is finished.
std::string record_begin(const Step& step);
std::string record_finish(const Step& step);

}  // namespace threadkeep::postgres
