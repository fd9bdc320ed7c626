// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <config/config.hpp>
#include <optional>
#include <string>
#include <vector>

namespace threadkeep::cli {

/// Which store a command works on, and for how long it may: by options, the environment, or
/// `threadkeep.yaml`. An option wins over the environment, the environment over the file. Where a
/// URL is given, the file is not read.
class StoreChoice {
 public:
  /// Adds the options. They refer to this object, which must stay where it is.
  explicit StoreChoice(CLI::App& command);

  /// Another name of --url, for commands that have two stores, or one that is not the usual one:
  /// then another variable of the environment names it too, instead of THREADKEEP_URL.
  void add_name(CLI::App& command, const std::string& name, const std::string& help,
                const std::string& variable);

  void default_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout.count(); }

  /// To be called once the arguments are parsed. Throws Error for a file that is wrong, Refusal
  /// where no store is named.
  void resolve();

  /// What the configuration file says of retention; it is read for that also where a URL names the
  /// store. Absent where no file says anything.
  std::optional<ops::RetentionConfig> retention() const;

  /// The same of migrations.
  ops::MigrateConfig migrate() const;

  /// After resolve(): the options that name the same store to a process with another directory
  /// and environment. Throws Refusal where they would hold a password or a path that depends on the
  /// directory.
  std::vector<std::string> arguments() const;

  /// After resolve().
  const std::string& url() const { return url_; }
  std::chrono::milliseconds timeout() const { return std::chrono::milliseconds(timeout_); }

 private:
  void read_file(const std::string& file);
  // The URL of an option or of the environment; empty where the file has to say it.
  std::string given_url() const;
  std::string file_to_read() const;
  bool is_url_given() const;

  CLI::Option* url_option_;
  CLI::Option* other_name_ = nullptr;
  CLI::Option* timeout_option_;
  std::string variable_ = "THREADKEEP_URL";
  std::string url_;
  std::string file_;
  std::string store_;
  std::chrono::milliseconds::rep timeout_ = 30'000;
};

}  // namespace threadkeep::cli
