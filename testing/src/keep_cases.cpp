// SPDX-License-Identifier: Apache-2.0
#include "cases.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

// In a file of its own: who uses the fixture for other cases does not want all of these.
bool keep_conformance_cases() {
  keep_calls_cases();
  keep_copy_thread_cases();
  keep_cursors_cases();
  keep_delete_runs_cases();
  keep_delete_thread_cases();
  keep_get_cases();
  keep_history_cases();
  keep_ids_cases();
  keep_json_cases();
  keep_list_cases();
  keep_loose_writes_cases();
  keep_prune_cases();
  keep_put_cases();
  keep_put_writes_cases();
  keep_require_latest_cases();
  keep_stats_cases();
  keep_threads_cases();
  keep_tombstones_cases();
  return true;
}

}  // namespace threadkeep::testing
