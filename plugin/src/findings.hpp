// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/journal.hpp"

namespace threadkeep {

Finding good(std::string subject, std::string text);
Finding warning(std::string subject, std::string text, std::string remedy);
Finding problem(std::string subject, std::string text, std::string remedy);

/// Goes on with an examination by `look`, which adds findings. Its error is one too, unless the
/// first finding says already that the store cannot be used.
void examine_further(std::vector<Finding>& findings, const std::function<void()>& look);

/// Of the clock of a server that said `theirs` when ours, in microseconds, stood between `before`
/// and `after`.
Finding judge_clock(std::int64_t before, std::int64_t theirs, std::int64_t after);

/// Of a server that has room for `greatest` connections, `used` of them taken, ours among them.
Finding judge_connections(std::int64_t used, std::int64_t greatest, std::size_t pool_size);

/// Of what waits in a journal, and of what was set aside there. An error is a finding.
std::vector<Finding> judge_journal(Journal& journal, const Call& call);

}  // namespace threadkeep
