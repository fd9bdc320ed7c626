// SPDX-License-Identifier: Apache-2.0
#include "retention_policies.hpp"

#include <iostream>

namespace threadkeep::cli {

namespace {

constexpr const char* install_description =
    "Creates what retention needs in the store: tables, and on Postgres functions.\n"
    "\n"
    "Where they are there, it brings them to this version and keeps what is stored in them. To be\n"
    "run as the owner of the store's tables.";

constexpr const char* install_examples =
    "Examples:\n"
    "  threadkeep retention install --url postgresql://owner@db.example/agents\n"
    "  threadkeep retention install --grantee agents_cron --store prod";

constexpr const char* apply_description =
    "Stores the policies of threadkeep.yaml in the store, instead of those that are there.\n"
    "\n"
    "Installs retention first where it is missing. Deletes nothing: sweeps do, and they obey the\n"
    "store.";

constexpr const char* apply_examples =
    "Examples:\n"
    "  threadkeep retention apply --store prod\n"
    "  threadkeep retention apply --config agents.yaml\n"
    "  threadkeep retention apply --archive required --store prod";

constexpr const char* preview_description =
    "Shows what a sweep would delete now, by policy and reason.\n"
    "\n"
    "Also shows whether threadkeep.yaml has other policies than the store. Changes nothing. Looks\n"
    "at every thread.";

constexpr const char* preview_examples =
    "Examples:\n"
    "  threadkeep retention preview --store prod\n"
    "  threadkeep retention preview --of-file --config agents.yaml --json";

ops::RetentionConfig demand_config(const StoreChoice& choice) {
  if (auto retention = choice.retention()) return *retention;
  throw Refusal{ExitStatus::usage, "invalid_argument",
                "which policies? Write them below `retention:` in threadkeep.yaml, or name the "
                "file by --config"};
}

std::string count_text(std::size_t policies) {
  return std::to_string(policies) + (policies == 1 ? " policy" : " policies");
}

}  // namespace

RetentionInstall::RetentionInstall(CLI::App& parent)
    : RetentionCommand(parent, "install", install_description, install_examples) {
  options().add_option("--grantee", grantee_,
                       "On Postgres: a role that may preview and sweep by SQL from now on");
}

ExitStatus RetentionInstall::execute() {
  const Call limits = call();
  if (!grantee_.empty() && postgres() == nullptr) {
    throw Refusal{ExitStatus::usage, "unsupported",
                  "--grantee is for Postgres: this store has no roles"};
  }
  retention().install(limits);
  if (grantee_.empty()) return succeed("retention is installed in " + store_name());
  postgres()->grant(grantee_, limits);
  return succeed("retention is installed in " + store_name() + "; " + grantee_ + " may sweep");
}

RetentionApply::RetentionApply(CLI::App& parent)
    : RetentionCommand(parent, "apply", apply_description, apply_examples) {
  options()
      .add_option("--archive", archive_,
                  "required: from now on nothing may go from the store without an archive; "
                  "optional: it may again")
      ->check(CLI::IsMember({"required", "optional"}).description(""))
      ->type_name("required|optional");
}

ExitStatus RetentionApply::execute() {
  const auto [policies, keep] = demand_config(choice());
  const Call limits = call();
  retention().install(limits);
  // First what keeps, then what takes.
  if (archive_ == "required") retention().require_archive(true, limits);
  retention().keep(keep, limits);
  retention().apply(policies, limits);
  if (archive_ == "optional") retention().require_archive(false, limits);
  const bool archive_required = retention().archive_required(limits);
  return succeed(store_name() + " has " + count_text(policies.size()) +
                     (archive_required ? ", and nothing may go without an archive" : "") +
                     "; `threadkeep retention preview` shows what is due",
                 {{"policies", Json::parse(to_json(policies))},
                  {"keep", keep_json(keep)},
                  {"archive", archive_required ? "required" : "optional"}});
}

RetentionPreview::RetentionPreview(CLI::App& parent)
    : RetentionCommand(parent, "preview", preview_description, preview_examples) {
  default_timeout(std::chrono::hours(1));
  options().add_flag("--of-file", of_file_, "By the policies of threadkeep.yaml, before `apply`");
}

ExitStatus RetentionPreview::execute() {
  const Call limits = call();
  Stored shown = stored(limits);
  if (of_file_) {
    auto [policies, keep] = demand_config(choice());
    shown.policies = std::move(policies);
    shown.keep = keep;
  }
  const auto due =
      of_file_ ? retention().preview(shown.policies, limits) : retention().preview(limits);
  const auto leftovers = retention().leftovers(shown.keep, limits);
  const auto same = shown.as_in_file;
  if (json()) {
    std::cout << json_text({{"policies", Json::parse(to_json(shown.policies))},
                            {"keep", keep_json(shown.keep)},
                            {"as_in_file", same ? Json(*same) : Json()},
                            {"archive", shown.archive_required ? "required" : "optional"},
                            {"due", due_json(due)},
                            {"leftovers", leftovers_json(leftovers)}})
              << "\n";
    return ExitStatus::done;
  }
  print_due(due, shown.policies.size());
  print_leftovers(leftovers);
  print_archive_required(shown.archive_required);
  print_drift(same);
  return ExitStatus::done;
}

void RetentionPreview::print_drift(std::optional<bool> same) const {
  if (same.value_or(true)) return;
  std::cout << "\nthe file has other policies than the store";
  std::cout << (of_file_ ? "; these are those of the file\n"
                         : "; `threadkeep retention apply` stores them\n");
}

}  // namespace threadkeep::cli
