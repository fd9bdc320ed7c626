// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "listing.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep state get`: a document of a thread or of a named scope, or a line for each.
class StateGet final : public StoreCommand {
 public:
  explicit StateGet(CLI::App& state);

 private:
  ExitStatus execute() override;
  ExitStatus print_document(Store& store, const Call& call) const;
  ExitStatus print_list(Store& store, const Call& call) const;
  StateScope scope() const;
  /// "thread 'ada'", "scope 'user:7'".
  std::string scope_name() const;
  /// Throws the Refusal where the thread is not there.
  void check_thread(Store& store, const Call& call) const;

  std::string owner_;
  std::optional<std::string> key_;
  bool named_ = false;
  PageOptions pages_;
};

}  // namespace threadkeep::cli
