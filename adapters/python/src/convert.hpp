// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/retention/reports.hpp"

namespace threadkeep::python {

/// Whatever a request answers; std::monostate for "done".
using Result =
    std::variant<std::monostate, Written, std::optional<CheckpointTuple>, Page<CheckpointTuple>,
                 std::vector<ChannelHistory>, Page<ThreadInfo>, Health, Page<Message>,
                 std::vector<Message>, std::optional<Message>, std::uint64_t,
                 std::optional<StateDocument>, Page<StateDocument>, std::optional<ThreadInfo>,
                 std::string, std::vector<retention::Due>, retention::SweepResult>;

// All functions here need the GIL.

/// UTF-8 of a str. Throws Error(invalid_argument) that names the field for any other type and for
/// a lone surrogate.
std::string to_text(nanobind::handle value, const char* field);
std::optional<std::string> to_optional_text(nanobind::handle value, const char* field);
std::vector<std::string> to_texts(nanobind::handle value, const char* field);

/// From a sequence of (channel, version, type, bytes).
std::vector<Blob> to_blobs(nanobind::handle rows);
/// From a sequence of (idx, channel, type, bytes).
std::vector<PendingWrite> to_writes(nanobind::handle rows, const std::string& task_id,
                                    const std::string& task_path);
/// From a sequence of (key, JSON text).
std::vector<MetadataEquals> to_filter(nanobind::handle rows);

/// As _native.pyi describes for each request.
nanobind::object to_python(const Result& result);

}  // namespace threadkeep::python
