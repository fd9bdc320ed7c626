// SPDX-License-Identifier: Apache-2.0
#include "thread_view.hpp"

#include "checkpoint_view.hpp"

namespace threadkeep::cli {

std::string known_time(std::int64_t time) {
  return time == 0 ? "unknown" : time_text(time);
}

Json thread_json(const ThreadInfo& thread) {
  return {{"thread_id", thread.thread_id},
          {"created_at", thread.created_at},
          {"updated_at", thread.updated_at},
          {"revision", thread.revision},
          {"metadata", stored_json(thread.metadata)}};
}

}  // namespace threadkeep::cli
