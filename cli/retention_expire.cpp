// SPDX-License-Identifier: Apache-2.0
#include "retention_expire.hpp"

#include <threadkeep/retention/time.hpp>

#include "checkpoint_view.hpp"
#include "duration_option.hpp"
#include "not_empty.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Sets the time at which a thread goes, and before which it does not go by being idle.\n"
    "\n"
    "It goes with the first sweep after that time, unless it is pinned or held. The thread need "
    "not\n"
    "be there yet.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep retention expire ada --in 30d --store prod\n"
    "  threadkeep retention expire ada --at 2027-01-31T12:00Z --store prod\n"
    "  threadkeep retention expire ada --never --store prod";

}  // namespace

RetentionExpire::RetentionExpire(CLI::App& parent)
    : RetentionCommand(parent, "expire", description, examples) {
  options()
      .add_option("THREAD", thread_id_, "The id of the thread")
      ->required()
      ->check(not_empty());
  auto* at = options().add_option("--at", at_,
                                  "A day or a time such as 2027-01-31 or 2027-01-31T12:00Z; UTC "
                                  "if it says nothing else");
  in_option_ =
      add_duration(options(), "--in", in_, "From now on, such as 12h, 30d or 4w")->excludes(at);
  options()
      .add_flag("--never", never_, "Take the time away, and leave the thread to the policies")
      ->excludes(at)
      ->excludes(in_option_);
}

std::optional<std::int64_t> RetentionExpire::time() const {
  if (never_) return {};
  if (in_option_->count() > 0) return Environment::system().now() + in_ * 1000;
  if (at_.empty()) {
    throw Refusal{ExitStatus::usage, "invalid_argument", "when? Say --at, --in or --never"};
  }
  if (const auto read = retention::read_time(at_)) return read;
  // A day is its beginning.
  if (const auto read = retention::read_time(at_ + "T00:00")) return read;
  throw Refusal{ExitStatus::usage, "invalid_argument",
                "--at must be a day or a time such as 2027-01-31 or 2027-01-31T12:00Z"};
}

ExitStatus RetentionExpire::execute() {
  const auto at = time();
  retention().expire(thread_id_, at, call());
  return succeed(
      at ? thread_id_ + " goes after " + time_text(*at) : thread_id_ + " has no time of its own",
      {{"thread_id", thread_id_}, {"expires_at", at ? Json(*at) : Json()}});
}

}  // namespace threadkeep::cli
