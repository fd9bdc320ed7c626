// SPDX-License-Identifier: Apache-2.0
#include "retention_marks.hpp"

#include "not_empty.hpp"

namespace threadkeep::cli {

namespace {

// In the order of Kind.
constexpr struct {
  const char* name;
  const char* description;
  const char* examples;
  const char* changed;
  const char* unchanged;
} words[] = {
    {"pin", "Keeps a thread as it is, whatever the policies say, until `unpin`.",
     "Example:\n"
     "  threadkeep retention pin ada --store prod",
     "is pinned", "was pinned already"},
    {"unpin", "Leaves a thread that was pinned to the policies again.",
     "Example:\n"
     "  threadkeep retention unpin ada --store prod",
     "is pinned no more", "was not pinned"},
    {"hold",
     "Keeps a thread as it is until `release` of the same name.\n\nSeveral holds may lie on one "
     "thread.",
     "Example:\n"
     "  threadkeep retention hold ada --name case-17 --store prod",
     "is held by", "was held already by"},
    {"release", "Takes a hold away. Others, and a pin, stay.",
     "Example:\n"
     "  threadkeep retention release ada --name case-17 --store prod",
     "is held no more by", "was not held by"},
};

}  // namespace

RetentionMark::RetentionMark(CLI::App& parent, Kind kind)
    : RetentionCommand(parent, words[static_cast<int>(kind)].name,
                       words[static_cast<int>(kind)].description,
                       words[static_cast<int>(kind)].examples),
      kind_(kind) {
  options()
      .add_option("THREAD", thread_id_, "The id of the thread")
      ->required()
      ->check(not_empty());
  if (kind == Kind::pin || kind == Kind::unpin) return;
  options()
      .add_option("--name", name_, "The name of the hold, such as that of a case")
      ->required()
      ->check(not_empty());
}

bool RetentionMark::change(const Call& limits) {
  switch (kind_) {
    case Kind::pin:
      return retention().pin(thread_id_, limits);
    case Kind::unpin:
      return retention().unpin(thread_id_, limits);
    case Kind::hold:
      return retention().hold(thread_id_, name_, limits);
    case Kind::release:
      break;
  }
  return retention().release(thread_id_, name_, limits);
}

ExitStatus RetentionMark::execute() {
  const bool changed = change(call());
  const auto& word = words[static_cast<int>(kind_)];
  std::string message = thread_id_ + " " + (changed ? word.changed : word.unchanged);
  if (!name_.empty()) message += " " + name_;
  return succeed(message, {{"thread_id", thread_id_}, {"changed", changed}});
}

}  // namespace threadkeep::cli
