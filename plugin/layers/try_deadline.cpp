// SPDX-License-Identifier: Apache-2.0
#include "layers/try_deadline.hpp"

#include <algorithm>

namespace threadkeep {

Deadline try_deadline(Deadline call, Deadline::Clock::time_point now,
                      const TryDeadlineOptions& options) {
  const auto most = std::chrono::floor<std::chrono::milliseconds>(
      Deadline::Clock::time_point::max() - now);  // compared in nanoseconds it would overflow
  const bool endless = options.per_try > most;
  return endless ? call : std::min(call, Deadline(now + options.per_try));
}

bool has_try_deadline(const Mutation& mutation) noexcept {
  return !lane(mutation).empty() && !std::holds_alternative<Prune>(mutation);
}

Call TryDeadlineLayer::one_try(const Call& call) const {
  return {try_deadline(call.deadline, Deadline::Clock::now(), options_), call.stop};
}

std::vector<Outcome> TryDeadlineLayer::apply(std::span<const Mutation> batch, const Call& call) {
  const bool bounded = std::all_of(batch.begin(), batch.end(), has_try_deadline);
  return inner().apply(batch, bounded ? one_try(call) : call);
}

}  // namespace threadkeep
