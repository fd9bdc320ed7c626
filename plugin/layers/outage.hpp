// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

/// What the end of a call says about its store.
enum class Sign {
  answers,
  fails,    ///< It cannot be reached, or did not answer in good time.
  nothing,  ///< The store was not asked, or the caller did not wait for it.
};

/// Error::native() of a call that found all connections of the pool in use for too long: its own
/// program is busy, whatever the store does.
inline constexpr std::string_view pool_wait = "pool_wait";

/// When a call began, when it ended, and when it would have had to.
struct CallTimes {
  Deadline::Clock::time_point began;
  Deadline::Clock::time_point ended;
  Deadline deadline;
};

/// The sign of a call that ended with an error of this code. A store that is silent until the
/// caller's own deadline fails only when the caller was patient.
Sign sign_of(Code code, const CallTimes& times) noexcept;
/// The same, of an error as the store ended with it.
Sign sign_of(const Error& error, const CallTimes& times) noexcept;

}  // namespace threadkeep
