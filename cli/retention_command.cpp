// SPDX-License-Identifier: Apache-2.0
#include "retention_command.hpp"

#include <iostream>

#include "printable.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

const char* const no_policies =
    "no policy is stored; write policies into threadkeep.yaml and run `threadkeep retention apply`";

retention::Retention& RetentionCommand::retention() {
  if (!retention_) retention_ = retention::open_retention(opened_store());
  return *retention_;
}

Store& RetentionCommand::opened_store() {
  if (!store_) store_ = open_store();
  return *store_;
}

retention::PostgresRetention* RetentionCommand::postgres() {
  return dynamic_cast<retention::PostgresRetention*>(&retention());
}

RetentionCommand::Stored RetentionCommand::stored(const Call& call) {
  Stored stored;
  stored.policies = retention().policies(call);
  stored.keep = retention().keep_times(call);
  stored.archive_required = retention().archive_required(call);
  if (const auto wanted = choice().retention()) {
    stored.as_in_file =
        to_json(wanted->policies) == to_json(stored.policies) && wanted->keep == stored.keep;
  }
  return stored;
}

ExitStatus RetentionCommand::succeed(const std::string& message, Json more) const {
  if (json()) {
    more["ok"] = true;
    more["message"] = message;
    std::cout << json_text(more) << "\n";
  } else {
    std::cout << printable(message) << "\n";
  }
  return ExitStatus::done;
}

Json due_json(const std::vector<retention::Due>& due) {
  Json list = Json::array();
  for (const auto& part : due) {
    list.push_back({{"policy", part.policy},
                    {"reason", part.reason},
                    {"threads", part.threads},
                    {"checkpoints", part.checkpoints},
                    {"writes", part.writes},
                    {"blobs", part.blobs},
                    {"bytes", part.bytes}});
  }
  return list;
}

void print_due(const std::vector<retention::Due>& due, std::size_t policies) {
  if (due.empty()) {
    std::cout << "nothing is due" << (policies == 0 ? std::string(": ") + no_policies : "") << "\n";
    return;
  }
  Table table({"THREADS", "CHECKPOINTS", "WRITES", "VALUES", "BYTES", "REASON", "POLICY"});
  for (const auto& part : due) {
    table.add({std::to_string(part.threads), std::to_string(part.checkpoints),
               std::to_string(part.writes), std::to_string(part.blobs), size_text(part.bytes),
               part.reason, part.policy.empty() ? "-" : part.policy});
  }
  table.print(std::cout, terminal_width());
}

Json keep_json(const retention::KeepTimes& keep) {
  return {{"tombstones", retention::format_duration(keep.tombstones)},
          {"audit", retention::format_duration(keep.audit)}};
}

Json leftovers_json(const retention::Leftovers& leftovers) {
  return {{"tombstones", leftovers.tombstones}, {"notes", leftovers.notes}};
}

void print_leftovers(const retention::Leftovers& leftovers) {
  if (leftovers == retention::Leftovers()) return;
  std::cout << "older than they are kept: " << leftovers.tombstones << " tombstones, and "
            << leftovers.notes << " entries of the audit and runs\n";
}

void print_archive_required(bool required) {
  if (!required) return;
  std::cout << "\nnothing may go without an archive: sweep with --archive DIRECTORY\n";
}

}  // namespace threadkeep::cli
