// SPDX-License-Identifier: Apache-2.0
#include "findings.hpp"

#include <algorithm>
#include <utility>

namespace threadkeep {

Finding good(std::string subject, std::string text) {
  return {Finding::Level::good, std::move(subject), std::move(text), {}};
}

Finding warning(std::string subject, std::string text, std::string remedy) {
  return {Finding::Level::warning, std::move(subject), std::move(text), std::move(remedy)};
}

Finding problem(std::string subject, std::string text, std::string remedy) {
  return {Finding::Level::problem, std::move(subject), std::move(text), std::move(remedy)};
}

// What lies between the two looks at our own clock cannot be told from a difference.
Finding judge_clock(std::int64_t before, std::int64_t theirs, std::int64_t after) {
  constexpr std::int64_t second = 1'000'000;
  const std::int64_t difference = std::max<std::int64_t>({0, before - theirs, theirs - after});
  if (difference < second) return good("clock", "differs from ours by less than a second");
  return warning("clock",
                 "the server's is " + std::to_string(difference / second) + " s " +
                     (theirs < before ? "behind" : "ahead of") + " ours",
                 "let both machines follow a time server");
}

Finding judge_connections(std::int64_t used, std::int64_t greatest, std::size_t pool_size) {
  const std::string text = std::to_string(used) + " of " + std::to_string(greatest) + " in use";
  if (greatest - used > static_cast<std::int64_t>(pool_size)) return good("connections", text);
  return warning("connections",
                 text + "; a pool takes up to " + std::to_string(pool_size) + " more",
                 "let the server take more, make pools smaller, or put a pooler between");
}

std::vector<Finding> Backend::examine(const Call& call) {
  const Health health = ping(call);
  if (health.ok) return {good("store", health.detail)};
  return {problem("store", health.detail, "nothing else can be examined before this is mended")};
}

void examine_further(std::vector<Finding>& findings, const std::function<void()>& look) {
  try {
    look();
  } catch (const Error& error) {
    if (findings.front().level != Finding::Level::good) return;  // it says so
    findings.push_back(
        warning("server", std::string("not examined: ") + error.what(), "try again"));
  }
}

std::vector<Finding> judge_journal(Journal& journal, const Call& call) {
  std::vector<Finding> findings;
  try {
    const JournalSizes sizes = journal.sizes(call);
    findings.push_back(sizes.entries == 0
                           ? good("fallback", "nothing waits in the journal")
                           : warning("fallback",
                                     std::to_string(sizes.entries) + " entries wait in the journal",
                                     "let the program that uses it run until its store is back"));
    const auto aside = journal.set_aside_entries(0, 1, call);
    if (aside.empty()) return findings;
    const JournalRecord& first = aside.front().entry.record;
    findings.push_back(problem("fallback_set_aside",
                               std::to_string(sizes.set_aside) +
                                   " writes were refused for good and set aside; the first is " +
                                   first.kind + " of '" + first.lane + "': " + aside.front().reason,
                               "threadkeep set-aside list shows them, and drop gives them up; see "
                               "docs/operation/outages.md"));
  } catch (const Error& error) {
    findings.push_back(warning("fallback", std::string("not examined: ") + error.what(),
                               "see that the journal can be opened"));
  }
  return findings;
}

}  // namespace threadkeep
