// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "threadkeep/error.hpp"
#include "threadkeep/retention/reports.hpp"

/// \file
/// What every retention does with requests.

namespace threadkeep::retention {

/// Throws Error(invalid_argument) for options out of their ranges.
inline void check(const SweepOptions& options) {
  if (options.batch_size >= 1 && options.batch_size <= 10'000) return;
  throw Error(Code::invalid_argument, "batch_size must be from 1 to 10000");
}

/// True when no further batch may begin because of the number of threads.
inline bool has_enough(const SweepOptions& options, const Swept& swept) {
  return options.max_threads != 0 && swept.threads >= options.max_threads;
}

/// A page of the audit. `read` gets a cursor that is empty or a number, and how many entries before
/// it are wanted.
template <class Read>
Page<AuditEntry> audit_page(const std::string& cursor, std::size_t limit, Read read) {
  if (cursor.find_first_not_of("0123456789") != std::string::npos || cursor.size() > 18) {
    throw Error(Code::invalid_argument, "cursor is damaged; take that of the page before");
  }
  // One more than was asked for shows whether there is another page.
  Page<AuditEntry> page{.items = read(cursor, limit + 1), .next = {}};
  if (page.items.size() > limit) {
    page.items.pop_back();
    page.next = page.items.empty() ? cursor : std::to_string(page.items.back().id);
  }
  return page;
}

}  // namespace threadkeep::retention
