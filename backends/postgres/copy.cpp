// SPDX-License-Identifier: Apache-2.0
#include "mutations.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres {

namespace {

Written read_copy(const CopyThread& copy, const Result& result) {
  const std::string_view verdict = result.view(0, 0);
  if (verdict == "absent") return {};
  if (verdict == "messages") {
    throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                    "' had messages of its own; choose another target or delete it "
                                    "first");
  }
  if (verdict == "checkpoints") {
    throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                    "' holds checkpoints that the source does not have; choose "
                                    "another target or delete it first");
  }
  const auto copied = static_cast<std::uint64_t>(result.integer(0, 1));
  const auto in_source = static_cast<std::uint64_t>(result.integer(0, 2));
  return {.changed = copied, .kept = in_source - copied};
}

}  // namespace

Reading add_copy_thread(Pipeline& pipeline, const Writing& writing, const CopyThread& copy) {
  pipeline.add(writing.statements.copy_thread)
      .text(copy.source_thread_id)
      .text(copy.target_thread_id)
      .timestamp(writing.now)
      .timestamp(writing.now - touch_granularity);
  return [&copy](std::span<const Result> results) { return read_copy(copy, results[0]); };
}

}  // namespace threadkeep::postgres
