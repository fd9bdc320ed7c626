// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <threadkeep/statsd.hpp>

namespace threadkeep::cli {

/// What a command that cron starts tells those who watch it: --metrics-file and --statsd.
class RunMetrics {
 public:
  /// `command` is a label of what is told.
  RunMetrics(CLI::App& options, std::string command);

  /// Throws Error when there is nobody to tell at the address that was given.
  void begin();
  /// Tells the metrics of this process, and that the command did what it should. Throws Error when
  /// the file cannot be written.
  void succeeded();
  /// The same when it did not, of which its user is told; so this does not throw.
  void failed() noexcept;

 private:
  void end(bool success);
  void write_file() const;

  std::string command_;
  std::string file_;
  std::string statsd_;
  std::unique_ptr<StatsdReporter> reporter_;
};

}  // namespace threadkeep::cli
