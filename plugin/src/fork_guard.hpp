// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace threadkeep {

/// Remembers the process it was made in. Threads, locks and connections do not survive fork(), so
/// an object that owns such things asks here before it touches them.
class ForkGuard {
 public:
  ForkGuard() noexcept;

  /// True in a child that was forked after this was made. Costs one atomic load.
  bool in_child() const noexcept;
  /// Throws Error(unsupported) in such a child.
  void check() const;

 private:
  unsigned generation_;
};

}  // namespace threadkeep
