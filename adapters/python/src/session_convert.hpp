// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "threadkeep/mutation.hpp"

namespace threadkeep::python {

// All functions here need the GIL, and throw Error(invalid_argument) that names what is wrong.

std::int64_t to_int64(nanobind::handle value, const char* field);
std::optional<std::int64_t> to_optional_int64(nanobind::handle value, const char* field);
/// An int from 0.
std::size_t to_count(nanobind::handle value, const char* field);

/// From a sequence of (id, role, content, metadata).
std::vector<NewMessage> to_new_messages(nanobind::handle rows);
/// From a sequence of (kind, key, value, expected_version).
std::vector<StateChange> to_changes(nanobind::handle rows);
/// From (thread_id, name).
StateScope to_scope(nanobind::handle row);
/// From a threadkeep.Filter; None is the filter that every message passes.
Filter to_filter_tree(nanobind::handle tree);

}  // namespace threadkeep::python
