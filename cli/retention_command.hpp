// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <threadkeep/retention/postgres.hpp>
#include <threadkeep/retention/retention.hpp>
#include <vector>

#include "json_output.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// A command on the retention of a store: what all of them have in common.
class RetentionCommand : public StoreCommand {
 public:
  using StoreCommand::StoreCommand;

 protected:
  /// Throws Error(unsupported) where the store has none.
  retention::Retention& retention();
  /// The store itself, opened at the first use.
  Store& opened_store();
  /// What only Postgres can do; null on other stores.
  retention::PostgresRetention* postgres();

  /// What the store has been told.
  struct Stored {
    std::vector<retention::Policy> policies;
    retention::KeepTimes keep;
    bool archive_required = false;
    /// Whether policies and times are those of the configuration file; absent where it has none.
    std::optional<bool> as_in_file;
  };
  Stored stored(const Call& call);

  /// Reports that all went well, in words; `more` are further members of the JSON.
  ExitStatus succeed(const std::string& message, Json more = Json::object()) const;

 private:
  std::shared_ptr<Store> store_;
  std::unique_ptr<retention::Retention> retention_;
};

/// A list of what is due, for programs.
Json due_json(const std::vector<retention::Due>& due);
/// A table of it, or why it is empty.
void print_due(const std::vector<retention::Due>& due, std::size_t policies);

/// For how long tombstones and the audit stay, for programs.
Json keep_json(const retention::KeepTimes& keep);
Json leftovers_json(const retention::Leftovers& leftovers);
/// A line about them, if there are any.
void print_leftovers(const retention::Leftovers& leftovers);
/// A line that says so, where it is.
void print_archive_required(bool required);

/// "no policy is stored; write ..."
extern const char* const no_policies;

}  // namespace threadkeep::cli
