// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/error.hpp>
#include <threadkeep/table_store.hpp>

#include "migration/tier/plan.hpp"

namespace threadkeep::migration {

/// A run that begins, or one that was interrupted and goes on.
struct OpenRun {
  tables::Run run;
  bool resumed = false;
};

/// Whether the unfinished run of a target is this migration. Throws Error(conflict) that says what
/// differs, and what to do, where it is another.
void check_same_run(const tables::Run& unfinished, const std::string& source,
                    const std::string& plan_hash);

/// Goes on with the unfinished run of the target, or begins one. With `anew` an unfinished run is
/// given up first.
OpenRun open_run(tables::Writer& writer, const std::string& source, const std::string& plan_hash,
                 bool anew, const Call& call);

/// What a run has done to a table so far.
tables::TableProgress progress_of(const tables::Run& run, const std::string& table, int pass);
void remember(tables::Run& run, const tables::TableProgress& progress);
std::uint64_t rejected_rows(const tables::Run& run) noexcept;

}  // namespace threadkeep::migration
