// SPDX-License-Identifier: Apache-2.0
#include "event_output.hpp"

#include <iostream>

#include "printable.hpp"

namespace threadkeep::cli {

void EventOutput::line(const std::string& text) {
  if (json_) return;
  progress_.clear();
  std::cout << "[migrate-tier] " << printable(text) << std::endl;
}

void EventOutput::event(const std::string& name, Json more) {
  if (!json_) return;
  more["event"] = name;
  std::cout << json_text(more) << std::endl;
}

}  // namespace threadkeep::cli
