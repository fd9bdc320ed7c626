// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

/// What the end of a call says about its store.
enum class Sign {
  answers,
  fails,    ///< It cannot be reached, or did not answer in good time.
  nothing,  ///< The store was not asked, or the caller did not wait for it.
};

/// When a call began, when it ended, and when it would have had to.
struct CallTimes {
  Deadline::Clock::time_point began;
  Deadline::Clock::time_point ended;
  Deadline deadline;
};

/// The sign of a call that ended with an error of this code. A store that is silent until the
/// caller's own deadline fails only when the caller was patient.
Sign sign_of(Code code, const CallTimes& times) noexcept;

}  // namespace threadkeep
