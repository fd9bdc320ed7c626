// SPDX-License-Identifier: Apache-2.0
#include "examine.hpp"

#include <charconv>
#include <string>
#include <string_view>

#include "findings.hpp"
#include "info.hpp"

namespace threadkeep::redis {

namespace {

// Every policy but noeviction takes keys one by one, and a thread has two.
Finding judge_eviction(const Info& info) {
  const std::string policy = info.text("maxmemory_policy");
  if (policy == "noeviction") return good("eviction", "keys are never evicted");
  if (policy.empty()) {
    return warning("eviction", "maxmemory-policy could not be checked", "it must be noeviction");
  }
  const std::string text = "maxmemory-policy is " + policy;
  constexpr auto remedy = "set maxmemory-policy to noeviction";
  if (info.number("maxmemory") == 0) {
    return warning("eviction", text + "; it would tear threads if maxmemory were set", remedy);
  }
  return problem("eviction", text + ": parts of threads may be taken away", remedy);
}

Finding judge_memory(const Info& info) {
  constexpr std::int64_t mebibyte = 1024 * 1024;
  const auto used = info.number("used_memory");
  const auto limit = info.number("maxmemory");
  std::string text = std::to_string(used / mebibyte) + " MiB used";
  if (limit == 0) return good("memory", text + ", no limit");
  text += " of " + std::to_string(limit / mebibyte) + " MiB";
  if (used < limit / 10 * 9) return good("memory", text);
  return warning("memory", text + ": writes will be refused soon",
                 "raise maxmemory, delete threads, or give them a ttl in the URL");
}

// With `yes`, a transaction that a crash has cut stays in the file, and the start after the next
// one carries out a part of it: https://github.com/valkey-io/valkey/pull/4342
bool loads_truncated(const Reply& setting) {
  return setting.is_array() && setting.size() == 2 && setting[1].view() == "yes";
}

Finding judge_persistence(const Info& info, const Reply& load_truncated) {
  const bool log = info.number("aof_enabled") == 1;
  if (log && info.text("aof_last_write_status") == "err") {
    return problem("persistence", "the append-only file cannot be written", "look at the disk");
  }
  if (info.text("rdb_last_bgsave_status") == "err") {
    return problem("persistence", "the last snapshot failed", "look at the disk and the memory");
  }
  if (log && loads_truncated(load_truncated)) {
    return warning("persistence", "a crash may tear what is written after it: aof-load-truncated",
                   "set aof-load-truncated no, and see docs/operation/redis.md");
  }
  if (log) return good("persistence", "there is an append-only file");
  return warning("persistence", "no append-only file: a restart loses what came after a snapshot",
                 "set appendonly yes, and durability=fsync in the URL");
}

std::int64_t time_of(const Reply& reply) {
  const auto number = [&](std::size_t i) {
    std::int64_t value = 0;
    const auto text = reply[i].view();
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  return number(0) * 1'000'000 + number(1);
}

}  // namespace

void examine(Connection& connection, const Settings& settings, const Environment& environment,
             const Call& call, std::vector<Finding>& findings) {
  Pipeline pipeline;
  pipeline.add({"TIME"});
  pipeline.add({"INFO"});
  pipeline.add({"CONFIG", "GET", "aof-load-truncated"});
  const auto& found_by = connection.server().found_by;
  if (!found_by.empty()) findings.push_back(good("sentinel", found_by));
  const auto before = environment.now();
  const Exchange answers = connection.exchange(pipeline, call);
  const auto after = environment.now();
  if (answers.failure) throw *answers.failure;
  if (answers.replies[0].is_array()) {
    findings.push_back(judge_clock(before, time_of(answers.replies[0]), after));
  }
  if (!answers.replies[1].is_text()) {
    findings.push_back(warning("server",
                               "it does not answer INFO: eviction, memory and persistence "
                               "are not known",
                               "allow INFO to the user of threadkeep"));
    return;
  }
  const Info info(answers.replies[1].view());
  findings.insert(
      findings.end(),
      {judge_eviction(info), judge_memory(info), judge_persistence(info, answers.replies[2]),
       judge_connections(info.number("connected_clients"), info.number("maxclients"),
                         settings.pool_size)});
}

}  // namespace threadkeep::redis
