// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "migration/tier/store_contents.hpp"
#include "migration/tier/store_report.hpp"

namespace threadkeep::migration {

/// Copies the documents of one named scope. Not thread-safe.
class ScopeCopy {
 public:
  /// All must outlive it.
  ScopeCopy(const StoreContents& source, const StoreContents& target, const std::string& scope,
            StoreReporter& reporter)
      : source_(source), target_(target), scope_(scope), reporter_(reporter) {}

  /// Stores what the target lacks, or with `dry_run` counts it.
  void run(bool dry_run, const Call& call);

  std::uint64_t seen() const noexcept { return seen_; }
  std::uint64_t stored() const noexcept { return stored_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  bool has_failed() const noexcept { return failed_; }

 private:
  void look_at(const StateDocument& document, bool dry_run, const Call& call);
  void send(const Call& call);
  void fail(Code code, const std::string& text);

  const StoreContents& source_;
  const StoreContents& target_;
  const std::string& scope_;
  StoreReporter& reporter_;
  std::vector<Mutation> batch_;
  std::size_t batch_bytes_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t bytes_ = 0;
  bool failed_ = false;
};

}  // namespace threadkeep::migration
