// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "json_output.hpp"
#include "progress.hpp"

namespace threadkeep::cli {

/// What a migration prints: lines that begin with `[migrate-tier]`, or with `json` one event in
/// each line.
class EventOutput {
 public:
  explicit EventOutput(bool json) : json_(json), progress_(json) {}

  /// For people.
  void line(const std::string& text);
  /// For programs.
  void event(const std::string& name, Json more);
  Progress& progress() noexcept { return progress_; }

 private:
  const bool json_;
  Progress progress_;
};

}  // namespace threadkeep::cli
