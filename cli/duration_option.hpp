// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

namespace threadkeep::cli {

/// An option for a time such as 500ms, 90s, 30m, 6h, 7d or 4w; `milliseconds` keeps its value
/// without.
CLI::Option* add_duration(CLI::App& command, const std::string& name,
                          std::chrono::milliseconds::rep& milliseconds, const std::string& help);

}  // namespace threadkeep::cli
