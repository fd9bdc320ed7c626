// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace threadkeep::cli {

/// How far a long command has come, on the standard error: on a terminal one line that is drawn
/// anew, with a bar, the rate and the time that is left; elsewhere a line now and then. Nothing
/// where the command is over soon. Not thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// What has been done, of how much where that is known, and in words.
  struct State {
    std::uint64_t done = 0;
    std::optional<std::uint64_t> total;
    std::string text;  ///< "12 threads, 340 checkpoints"
    std::uint64_t bytes = 0;
    /// "rows": the rate is that of what was done, in these, where no bytes are known.
    std::string unit = {};
  };

  /// `quiet` prints nothing at all.
  explicit Progress(bool quiet);
  /// Takes the line off the terminal.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Asks for the state when something is to be printed.
  void step(const std::function<State()>& state);

  /// Takes the line off the terminal, so that other output has it.
  void clear();

  /// Such a line: `elapsed` is the time since the beginning, `width` the columns there are.
  static std::string line(const State& state, std::chrono::duration<double> elapsed,
                          std::size_t width);

 private:
  const bool quiet_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  bool drawn_ = false;
};

}  // namespace threadkeep::cli
