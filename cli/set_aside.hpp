// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <threadkeep/journal.hpp>
#include <vector>

#include "json_output.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// A command on what the store refused of a fallback's journal: what all of them have in common.
/// The URL is that of a store with a fallback, or of the journal itself, whose program may run.
class SetAsideCommand : public StoreCommand {
 public:
  using StoreCommand::StoreCommand;

 protected:
  /// Opens it at the first use.
  Journal& journal();
  /// "sqlite:journal.db", without a password.
  std::string journal_name() const;
  /// In their order.
  void for_each(const std::function<void(const SetAsideEntry&)>& use, const Call& call);

 private:
  std::string journal_url() const;

  std::unique_ptr<Backend> store_;
};

/// `threadkeep set-aside list`
class SetAsideList final : public SetAsideCommand {
 public:
  explicit SetAsideList(CLI::App& parent);

 private:
  ExitStatus execute() override;
};

/// `threadkeep set-aside export`: with what they were to store.
class SetAsideExport final : public SetAsideCommand {
 public:
  explicit SetAsideExport(CLI::App& parent);

 private:
  ExitStatus execute() override;

  std::string output_;
  bool overwrite_ = false;
};

/// `threadkeep set-aside drop`: for ever.
class SetAsideDrop final : public SetAsideCommand {
 public:
  explicit SetAsideDrop(CLI::App& parent);

 private:
  ExitStatus execute() override;
  /// Those that were named, or all. Throws Refusal for one that is not there.
  std::vector<SetAsideEntry> chosen_entries(const Call& call);
  ExitStatus tell(const std::string& message, const std::vector<SetAsideEntry>& entries) const;

  std::vector<std::int64_t> seqs_;
  bool all_ = false;
  bool yes_ = false;
};

}  // namespace threadkeep::cli
