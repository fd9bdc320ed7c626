// SPDX-License-Identifier: Apache-2.0
#include "threads_change.hpp"

#include <iostream>

#include "json_output.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* copy_description =
    "Copies all checkpoints and pending writes of a thread under another id.\n"
    "\n"
    "Checkpoint ids stay. What the target has already stays too, so a copy may be repeated; a\n"
    "target with checkpoints that the source lacks is refused.";

constexpr const char* copy_examples =
    "Example:\n"
    "  threadkeep threads copy ada ada-experiment --url sqlite:agent.db";

constexpr const char* delete_description =
    "Deletes threads with all of their checkpoints, values and pending writes. It cannot be "
    "undone.\n"
    "\n"
    "Asks first on a terminal; elsewhere it wants --yes. A thread that is not there is no error.";

constexpr const char* delete_examples =
    "Examples:\n"
    "  threadkeep threads delete ada --url sqlite:agent.db\n"
    "  threadkeep threads delete ada bob --yes --json --url sqlite:agent.db";

std::string count_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " checkpoint" : " checkpoints");
}

}  // namespace

ThreadsCopy::ThreadsCopy(CLI::App& threads)
    : StoreCommand(threads, "copy", copy_description, copy_examples) {
  options().add_option("SOURCE", source_, "The thread to copy")->required();
  options().add_option("TARGET", target_, "The id of the copy")->required();
}

ExitStatus ThreadsCopy::execute() {
  const Written written = open_store()->write(CopyThread{source_, target_}, call());
  if (written.changed + written.kept == 0) throw no_thread("checkpoints", source_, store_name());
  if (json()) {
    std::cout << json_text({{"ok", true}, {"copied", written.changed}, {"kept", written.kept}})
              << "\n";
    return ExitStatus::done;
  }
  std::cout << "copied " << count_text(written.changed);
  if (written.kept > 0) std::cout << ", " << written.kept << " were there";
  std::cout << "\n";
  return ExitStatus::done;
}

ThreadsDelete::ThreadsDelete(CLI::App& threads)
    : StoreCommand(threads, "delete", delete_description, delete_examples) {
  options().add_option("THREAD", thread_ids_, "The ids of the threads")->required();
  options().add_flag("--yes", yes_, "Do not ask");
}

void ThreadsDelete::demand_consent() const {
  if (yes_) return;
  std::string names;
  for (const auto& id : thread_ids_) names += (names.empty() ? "" : ", ") + printable(id);
  switch (ask("Delete " + names + " from " + store_name() + " for ever?")) {
    case Answer::yes:
      return;
    case Answer::no:
      throw Refusal{ExitStatus::failed, "refused", "nothing was deleted"};
    case Answer::nobody:
      throw Refusal{ExitStatus::usage, "needs_yes",
                    "nothing was deleted: there is no terminal to ask on; say --yes"};
  }
}

ExitStatus ThreadsDelete::execute() {
  demand_consent();
  const Call limits = call();
  const auto store = open_store();
  Json all = Json::array();
  for (const auto& id : thread_ids_) {
    const Written written = store->write(DeleteThread{id}, limits);
    if (json()) {
      all.push_back({{"thread_id", id}, {"deleted", written.changed}});
    } else {
      std::cout << printable(id) << ": deleted " << count_text(written.changed) << std::endl;
    }
  }
  if (json()) std::cout << json_text({{"ok", true}, {"threads", all}}) << "\n";
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
