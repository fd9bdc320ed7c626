// SPDX-License-Identifier: Apache-2.0
#include "layers/try_deadline.hpp"

#include <algorithm>
#include <iterator>

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

std::vector<std::span<const Mutation>> parts_by_try_deadline(std::span<const Mutation> batch) {
  std::vector<std::span<const Mutation>> parts;
  while (!batch.empty()) {
    const bool bounded = has_try_deadline(batch.front());
    const auto end = std::find_if(batch.begin(), batch.end(), [&](const Mutation& mutation) {
      return has_try_deadline(mutation) != bounded;
    });
    const auto count = static_cast<std::size_t>(end - batch.begin());
    parts.push_back(batch.first(count));
    batch = batch.subspan(count);
  }
  return parts;
}

Call TryDeadlineLayer::one_try(const Call& call) const {
  return {try_deadline(call.deadline, Deadline::Clock::now(), options_), call.stop};
}

std::vector<Outcome> TryDeadlineLayer::apply(std::span<const Mutation> batch, const Call& call) {
  const auto parts = parts_by_try_deadline(batch);
  if (parts.size() == 1) return apply_part(parts.front(), call);
  std::vector<Outcome> outcomes;
  outcomes.reserve(batch.size());
  for (const auto part : parts) {
    try {
      std::ranges::move(apply_part(part, call), std::back_inserter(outcomes));
    } catch (const Error& error) {
      for (const Mutation& mutation : part) {
        outcomes.push_back({{}, error.during(operation_name(mutation))});
      }
    }
  }
  return outcomes;
}

std::vector<Finding> TryDeadlineLayer::examine(const Call& call) {
  auto findings = inner().examine(call);
  findings.push_back({Finding::Level::good, "deadline",
                      "each try ends after " + std::to_string(options_.per_try.count()) + "ms",
                      ""});
  return findings;
}

std::vector<Outcome> TryDeadlineLayer::apply_part(std::span<const Mutation> part,
                                                  const Call& call) {
  return inner().apply(part, has_try_deadline(part.front()) ? one_try(call) : call);
}

}  // namespace threadkeep
