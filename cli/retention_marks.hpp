// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention pin`, `unpin`, `hold` and `release`: what keeps a thread from sweeps.
class RetentionMark final : public RetentionCommand {
 public:
  enum class Kind { pin, unpin, hold, release };

  RetentionMark(CLI::App& parent, Kind kind);

 private:
  ExitStatus execute() override;
  bool change(const Call& limits);

  const Kind kind_;
  std::string thread_id_;
  std::string name_;
};

}  // namespace threadkeep::cli
