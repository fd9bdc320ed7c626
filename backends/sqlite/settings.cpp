// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <filesystem>

namespace threadkeep::sqlite {

namespace {

void check_place(Url& url) {
  if (url.authority() && !url.authority()->empty()) {
    url.problem("takes no host; write sqlite:relative/path or sqlite:///absolute/path");
  }
  if (url.path().empty()) url.problem("needs the path of a file, as in sqlite:threads.db");
  if (url.path() == ":memory:") {
    url.problem("keeps a file; for a store that ends with the process use memory:");
  }
}

}  // namespace

Settings settings_of(Url& url) {
  Settings settings;
  check_place(url);
  if (const auto busy = url.take_duration("busy")) settings.busy = *busy;
  if (const auto sync = url.take_choice("synchronous", {"full", "normal"})) {
    settings.full_sync = *sync == "full";
  }
  url.finish();
  // Connections are opened later, when the process may have changed its directory.
  settings.path = std::filesystem::absolute(url.path()).string();
  return settings;
}

}  // namespace threadkeep::sqlite
