// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/model.hpp"

/// \file
/// What old threads are: policies as data, their text and their JSON form.
/// docs/operation/retention.md explains them to operators. All functions are pure.

namespace threadkeep::retention {

/// What `idle` counts from.
enum class Expiry {
  sliding,  ///< The last thing that was stored in the thread.
  fixed,    ///< Its beginning.
};

/// A rule for the threads that it matches. A limit of 0 is off.
struct Policy {
  std::string name;                      ///< Unique among the policies; stands in reports.
  std::string threads = "*";             ///< A pattern; see matches_pattern().
  std::vector<MetadataEquals> metadata;  ///< All must hold; see ThreadFacts::metadata.

  std::chrono::seconds idle{0};  ///< The thread goes when it is idle for longer than this.
  Expiry expiry = Expiry::sliding;
  std::chrono::seconds age{0};  ///< Checkpoints that are older go, but for what is needed.
  std::uint32_t keep_last = 0;  ///< So many newest checkpoints of each namespace stay.
};

/// The idle time of a policy that sets no limit at all.
inline constexpr std::chrono::seconds default_idle = std::chrono::days(7);

/// True when all of `thread_id` fits: `*` stands for any characters, `[*]` for a star.
bool matches_pattern(std::string_view pattern, std::string_view thread_id);

/// A policy as somebody wrote it: the text of each field, absent where there is none. The names of
/// the members are those of the fields.
struct PolicyFields {
  std::optional<std::string> name;
  std::optional<std::string> threads;
  std::vector<MetadataEquals> metadata;
  std::optional<std::string> idle;       ///< "7d"; "0" and "off" switch it off. Likewise `age`.
  std::optional<std::string> expiry;     ///< "sliding" or "fixed"
  std::optional<std::string> age;        ///< Units: s, m, h, d, w.
  std::optional<std::string> keep_last;  ///< "10"; "0" and "off" switch it off.
};

/// For how long a store keeps what deletions and sweeps leave behind. 0 is for ever.
struct KeepTimes {
  /// A worker that loaded a thread before it was deleted, and stores its next checkpoint later than
  /// this, is no `conflict` any more.
  std::chrono::seconds tombstones = std::chrono::days(30);
  /// The audit, and runs that are over.
  std::chrono::seconds audit = std::chrono::days(365);

  friend bool operator==(const KeepTimes&, const KeepTimes&) = default;
};

/// Well above the grace of values and the time of a write.
inline constexpr std::chrono::seconds shortest_tombstones = std::chrono::hours(1);
inline constexpr std::chrono::seconds shortest_audit = std::chrono::days(1);

/// As somebody wrote them. What is absent is as in KeepTimes.
struct KeepFields {
  std::optional<std::string> tombstones;  ///< "30d"; "0" and "off" keep them for ever.
  std::optional<std::string> audit;
};

/// What is wrong with a field, and what to write instead.
struct Problem {
  std::string field;  ///< "policies[1].idle"
  std::string text;

  friend bool operator==(const Problem&, const Problem&) = default;
};

struct ReadPolicies {
  std::vector<Policy> policies;   ///< Only when there is no problem.
  std::vector<Problem> problems;  ///< All there are, in the order of the fields.
};

/// For readers of configuration files, which know places of their own for the problems.
ReadPolicies read_policies(std::span<const PolicyFields> fields);

struct ReadKeepTimes {
  KeepTimes times;                ///< The defaults where there is a problem.
  std::vector<Problem> problems;  ///< Their fields are "tombstones" and "audit".
};
ReadKeepTimes read_keep_times(const KeepFields& fields);

/// The form in which a store keeps policies: a JSON array of objects, whose members are the fields.
/// Equal policies have equal texts.
std::string to_json(std::span<const Policy> policies);
/// Throws Error(invalid_argument) that names every problem.
std::vector<Policy> policies_from_json(std::string_view json);

/// "7d", "90m": the greatest unit up to days that fits; "off" for 0.
std::string format_duration(std::chrono::seconds duration);

}  // namespace threadkeep::retention
