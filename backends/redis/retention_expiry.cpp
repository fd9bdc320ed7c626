// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "layout.hpp"
#include "registry.hpp"
#include "retention.hpp"

namespace threadkeep::redis {

namespace {

using retention::ExpiryReport;

// Threads of one round trip, and those that a report names.
constexpr std::size_t at_once = 1000;
constexpr std::size_t most_named = 100;

// A key that has gone is -2, and one that stays is -1.
void add(const std::string& id, std::int64_t thread, std::int64_t index, bool kept,
         ExpiryReport& report) {
  if (thread == -2 && index == -2) return;
  ++report.threads;
  if (kept || (thread != -1 && index != -1)) return;
  ++report.without;
  if (report.ids.size() < most_named) report.ids.push_back(id);
}

void look_at(Connection& connection, const Settings& settings, const std::vector<std::string>& ids,
             const Call& call, ExpiryReport& report) {
  Pipeline pipeline;
  for (const auto& id : ids) {
    const Keys keys(settings.prefix, id);
    const std::string marks = "m" + id;
    pipeline.add({"PTTL", keys.thread});
    pipeline.add({"PTTL", keys.index});
    pipeline.add({"HMGET", keys.orders, marks, "a"});
  }
  const auto replies = connection.read(pipeline, call);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Reply* of_thread = &replies[3 * i];
    const bool kept = !of_thread[2][0].is_nil() || !of_thread[2][1].is_nil();
    add(ids[i], of_thread[0].integer(), of_thread[1].integer(), kept, report);
  }
}

}  // namespace

ExpiryReport RetentionHost::expiry(const Call& call) {
  fork_guard_.check();
  ExpiryReport report;
  const Settings& settings = database_.settings();
  report.expected = settings.ttl.count() != 0;
  if (!report.expected) return report;
  const Lease connection = database_.lease(call);
  ThreadNames names(*connection, settings, call, "", at_once);
  for (auto ids = names.next(at_once); !ids.empty(); ids = names.next(at_once)) {
    look_at(*connection, settings, ids, call, report);
  }
  return report;
}

}  // namespace threadkeep::redis
