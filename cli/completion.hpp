// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>

#include "description.hpp"

namespace threadkeep::cli {

/// Scripts by which shells complete the arguments of `threadkeep`, and its page for man(1). Made
/// from what the commands say of themselves, so that they cannot differ from it.
void print_bash_completion(std::ostream& out, const std::vector<CommandDescription>& commands);
void print_zsh_completion(std::ostream& out, const std::vector<CommandDescription>& commands);
void print_fish_completion(std::ostream& out, const std::vector<CommandDescription>& commands);
void print_manual(std::ostream& out, const std::vector<CommandDescription>& commands,
                  const std::string& version);

}  // namespace threadkeep::cli
