// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "threadkeep/retention_host.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// What a script compares before it deletes: see is_as_judged() of lua/head.lua.
struct Judged {
  std::string head;
  std::string writes;  ///< How many, decimal.
  std::string time;    ///< The thread's own, in microseconds; empty where it has none.
  std::string marks;   ///< Each `p` or `h` and a name, then NUL.

  std::string encode() const;
  static Judged decode(std::string_view text);
};

/// A thread as it is at one moment; `seen` is its Judged. Without info where there is none, where
/// it has expired, and where the server has lost a part of it.
retention::ThreadRows load_rows(Writer& writer, const std::string& thread_id);

retention::ThreadGlance glance_at(Writer& writer, const std::string& thread_id);

/// These go by a sweep; false when the thread is not as it was judged.
bool erase_thread(Writer& writer, const retention::ThreadRows& judged, std::int64_t fence);
bool erase_checkpoints(Writer& writer, const retention::ThreadRows& judged,
                       const retention::CheckpointsByNamespace& gone, std::int64_t fence);

}  // namespace threadkeep::redis
