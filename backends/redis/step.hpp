// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "settings.hpp"
#include "threadkeep/mutation.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// A mutation of one thread that a single transaction carries out. Where equality by value decides,
/// which a server cannot tell, it is tried again with what was found.
class Step {
 public:
  virtual ~Step() = default;

  /// What is to be sent next; it refers to the mutation and to this.
  virtual Transaction transaction() const = 0;
  /// What the answer means; empty when another attempt is needed. Throws Error for a conflict.
  virtual std::optional<Written> finish(const Attempt& attempt) = 0;
  /// True when finish() may want another attempt.
  virtual bool may_repeat() const { return false; }
};

/// A step for a mutation of one thread; null for the others, delete_runs and copy_thread.
std::unique_ptr<Step> make_step(const Mutation& mutation, const Settings& settings,
                                std::int64_t now);
/// The same for mutations of messages and state; null for all others.
std::unique_ptr<Step> make_session_step(const Mutation& mutation, const Settings& settings,
                                        std::int64_t now);

}  // namespace threadkeep::redis
