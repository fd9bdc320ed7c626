// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention expire`: a thread gets a time of its own at which it goes.
class RetentionExpire final : public RetentionCommand {
 public:
  explicit RetentionExpire(CLI::App& parent);

 private:
  ExitStatus execute() override;
  /// Absent for --never.
  std::optional<std::int64_t> time() const;

  std::string thread_id_;
  std::string at_;
  CLI::Option* in_option_ = nullptr;
  std::chrono::milliseconds::rep in_ = 0;
  bool never_ = false;
};

}  // namespace threadkeep::cli
