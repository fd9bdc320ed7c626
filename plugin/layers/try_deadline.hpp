// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "layers/call_layer.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// When a try that begins `now` must end, of a call that has until `call`.
Deadline try_deadline(Deadline call, Deadline::Clock::time_point now,
                      const TryDeadlineOptions& options);

/// True for writes of one thread. What spans threads may take long for good reasons and keeps the
/// deadline of its call.
bool has_try_deadline(const Mutation& mutation) noexcept;

/// The batch in order, cut where writes with and without a try deadline meet: one that may take
/// long must not take the deadline from the others.
std::vector<std::span<const Mutation>> parts_by_try_deadline(std::span<const Mutation> batch);

/// The layer; see TryDeadlineOptions.
class TryDeadlineLayer final : public CallLayer<TryDeadlineLayer> {
 public:
  TryDeadlineLayer(std::unique_ptr<Backend> inner, const TryDeadlineOptions& options)
      : CallLayer(std::move(inner)), options_(options) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override;
  std::vector<Finding> examine(const Call& call) override;

  template <class Read>
  auto around(std::string_view /*operation*/, const Call& call, Read read) {
    return read(one_try(call));
  }

 private:
  Call one_try(const Call& call) const;
  std::vector<Outcome> apply_part(std::span<const Mutation> part, const Call& call);

  const TryDeadlineOptions options_;
};

}  // namespace threadkeep
