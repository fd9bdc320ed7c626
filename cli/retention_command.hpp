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
  /// Opens the store at the first use. Throws Error(unsupported) where it has no retention.
  retention::Retention& retention();
  /// The store itself.
  Store& opened_store();
  /// What only Postgres can do; null on other stores.
  retention::PostgresRetention* postgres();

  /// Whether the stored policies are those of the configuration file; absent where it has none.
  std::optional<bool> as_in_file(const std::vector<retention::Policy>& stored) const;

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

/// "no policy is stored; write ..."
extern const char* const no_policies;

}  // namespace threadkeep::cli
