// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <threadkeep/retention/policy.hpp>
#include <vector>

namespace threadkeep::ops {

/// A store as `threadkeep.yaml` describes it.
struct StoreConfig {
  std::string url;
  std::optional<std::chrono::milliseconds> timeout;  ///< For a whole command.
};

/// What `threadkeep.yaml` says of retention.
struct RetentionConfig {
  std::vector<retention::Policy> policies;
  retention::KeepTimes keep;
};

/// What `threadkeep.yaml` says of migrations to another tier.
struct MigrateConfig {
  std::vector<std::string> order;  ///< Names of tables, in the order to copy them.
};

/// What `threadkeep.yaml` says, variables filled in.
struct Config {
  std::optional<StoreConfig> store;           ///< Where nobody names one.
  std::map<std::string, StoreConfig> stores;  ///< By name.
  /// Absent where the file says nothing of retention.
  std::optional<RetentionConfig> retention;
  MigrateConfig migrate;
};

/// The value of an environment variable; empty when it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Those of the process.
Variables process_variables();

/// Reads the text of a file that is called `name` in messages. Throws Error(invalid_argument) with
/// everything that is wrong, a line for each with its place: `threadkeep.yaml:3:7: ...`. Messages
/// name keys and variables and never hold a value, which may be a password.
Config parse_config(std::string_view text, const std::string& name, const Variables& variables);

/// As parse_config, for a file. Throws Error(unavailable) when it cannot be read.
Config read_config(const std::filesystem::path& file, const Variables& variables);

}  // namespace threadkeep::ops
