// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace threadkeep::cli {

/// A command that runs now and then, as cron and systemd want it written. One job for each store of
/// a user: what names the store tells them apart.
class SweepJob {
 public:
  /// `store` is part of `command`.
  SweepJob(std::vector<std::string> store, std::vector<std::string> command)
      : store_(std::move(store)), command_(std::move(command)) {}

  std::string crontab_line(const std::string& expression) const;
  std::string service() const;
  /// At the times of an expression of retention::cron_expression(). What came while the machine was
  /// off is made up for when it starts.
  static std::string timer(const std::string& expression);

  /// Puts the line into the crontab of this user, instead of one that is there. Throws Error when
  /// the program crontab fails.
  void add_to_crontab(const std::string& expression) const;
  /// False when there is no such line.
  bool remove_from_crontab() const;

  /// Writes the two units, and makes the directory where it is missing; the command that starts the
  /// timer.
  std::string add_units(const std::filesystem::path& directory,
                        const std::string& expression) const;
  bool remove_units(const std::filesystem::path& directory) const;
  /// Where systemd looks for units of this user; of root, of the system.
  static std::filesystem::path unit_directory();
  /// "threadkeep-retention-url-sqlite--var-agent.db-" and 16 digits, which tell apart what looks
  /// the same so.
  std::string unit_name() const;

 private:
  std::string mark() const;
  /// The crontab without the line.
  std::string rest_of(const std::string& crontab) const;

  std::vector<std::string> store_;
  std::vector<std::string> command_;
};

}  // namespace threadkeep::cli
