// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "listing.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads list`: a page of threads, or all.
class ThreadsList final : public StoreCommand {
 public:
  explicit ThreadsList(CLI::App& threads);

 private:
  ExitStatus execute() override;
  ThreadList query() const;

  PageOptions pages_;
  std::vector<std::string> metadata_;
};

}  // namespace threadkeep::cli
