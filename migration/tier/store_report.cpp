// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_report.hpp"

#include <algorithm>
#include <utility>

#include "migration/tier/source.hpp"

namespace threadkeep::migration {

std::string_view name_of(StoreProblemKind kind) noexcept {
  switch (kind) {
    case StoreProblemKind::conflict:
      return "conflict";
    case StoreProblemKind::deleted:
      return "deleted";
    case StoreProblemKind::refused:
      return "refused";
    case StoreProblemKind::unreadable:
      return "unreadable";
    case StoreProblemKind::missing:
      return "missing";
    case StoreProblemKind::different:
      return "different";
    case StoreProblemKind::extra:
      return "extra";
  }
  return "";
}

void StoreReporter::problem(StoreProblem problem) {
  ++report_.problem_count;
  if (problem.kind == StoreProblemKind::unreadable) ++report_.unreadable;
  options_.problem(problem);
  if (report_.problems.size() < options_.max_problems) {
    report_.problems.push_back(std::move(problem));
  }
}

void StoreReporter::step(const std::string& thread_id) const {
  options_.progress({report_.seen, report_.stored, report_.bytes, thread_id});
}

void StoreReporter::not_carried(const std::string& text) {
  auto& all = report_.not_carried;
  if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
}

void add(StoreCounts& counts, const ops::Counts& parts) noexcept {
  counts.checkpoints += parts.checkpoints;
  counts.blobs += parts.blobs;
  counts.writes += parts.writes;
  counts.messages += parts.messages;
  counts.states += parts.states;
}

Call call_of_thread(const Call& call, const StoreCopyOptions& options) {
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "the caller asked to stop");
  return {std::min(call.deadline, Deadline::after(options.thread_timeout)), call.stop};
}

bool is_problem(Code code) noexcept {
  return code == Code::conflict || code == Code::invalid_argument || code == Code::unsupported ||
         code == Code::corrupt;
}

StoreProblem problem_of(const Error& error, const std::string& thread_id,
                        const StoreCopyOptions& options) {
  const Code code = error.code();
  if (code == Code::timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.thread_timeout);
    throw Error(code, "thread '" + thread_id + "' took longer than " +
                          std::to_string(seconds.count()) + " s, or all of the time was used: " +
                          error.message() + "; run it again with more time, it goes on from there");
  }
  if (!is_problem(code)) throw;
  const bool of_source = dynamic_cast<const SourceError*>(&error) != nullptr;
  const auto kind = of_source ? StoreProblemKind::unreadable : StoreProblemKind::refused;
  return {kind, thread_id, {}, code, error.message()};
}

}  // namespace threadkeep::migration
