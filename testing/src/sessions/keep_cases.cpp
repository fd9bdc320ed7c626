// SPDX-License-Identifier: Apache-2.0
#include "sessions/cases.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

bool keep_session_cases() {
  keep_appends_cases();
  keep_filters_cases();
  keep_message_edits_cases();
  keep_message_pages_cases();
  keep_pops_cases();
  keep_session_threads_cases();
  keep_states_cases();
  return true;
}

}  // namespace threadkeep::testing
