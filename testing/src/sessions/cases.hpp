// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// As cases.hpp, for the cases of messages and state.

namespace threadkeep::testing {

void keep_appends_cases();
void keep_filters_cases();
void keep_message_edits_cases();
void keep_message_pages_cases();
void keep_pops_cases();
void keep_session_threads_cases();
void keep_states_cases();

}  // namespace threadkeep::testing
