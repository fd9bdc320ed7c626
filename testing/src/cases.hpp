// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One empty function in each file of cases. Calling it makes the linker take that file from the
/// library, and with it the cases that register themselves.

namespace threadkeep::testing {

void keep_calls_cases();
void keep_copy_thread_cases();
void keep_cursors_cases();
void keep_delete_runs_cases();
void keep_delete_thread_cases();
void keep_get_cases();
void keep_history_cases();
void keep_ids_cases();
void keep_json_cases();
void keep_list_cases();
void keep_loose_writes_cases();
void keep_prune_cases();
void keep_put_cases();
void keep_put_writes_cases();
void keep_require_latest_cases();
void keep_stats_cases();
void keep_threads_cases();
void keep_tombstones_cases();

}  // namespace threadkeep::testing
