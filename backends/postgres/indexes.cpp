// SPDX-License-Identifier: Apache-2.0
#include "indexes.hpp"

#include <array>

#include "ledger.hpp"
#include "postgres/sql.hpp"

namespace threadkeep::postgres {

std::span<const IndexStep> indexes() {
  static constexpr std::array<IndexStep, 3> all = {{
      {step::index_run_id, "threadkeep_checkpoints_run_id", sql::setup_index_run_id,
       "(metadata ->> 'run_id'::text) where metadata ? 'run_id'::text", true,
       "deleting runs reads every checkpoint"},
      {step::index_order, "threadkeep_checkpoints_order", sql::setup_index_order,
       "thread_id, checkpoint_ns, checkpoint_id collate C", false,
       "the latest checkpoint is found by sorting"},
      {step::index_thread, "threadkeep_checkpoints_thread", sql::setup_index_thread,
       "thread_id collate C", false, "listing threads reads every checkpoint"},
  }};
  return all;
}

bool is_wanted(const IndexStep& index, const Layout& layout) {
  return index.for_bytewise || !layout.bytewise;
}

}  // namespace threadkeep::postgres
