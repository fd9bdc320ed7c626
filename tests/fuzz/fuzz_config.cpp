// SPDX-License-Identifier: Apache-2.0
// threadkeep.yaml, an operator's file, with variables of any kind.
#include "config/config.hpp"
#include "fuzz.hpp"
#include "threadkeep/error.hpp"

using namespace threadkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  const ops::Variables variables = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "sqlite:a.db";
    if (name == "B") return text;
    return {};
  };
  fuzz::accepts({Code::invalid_argument}, [&] {
    const auto config = ops::parse_config(text, "t.yaml", variables);
    for (const auto& [name, store] : config.stores) {
      fuzz::check(!name.empty() && !store.url.empty(), "a store has a name and a url");
    }
    fuzz::check(!config.store || !config.store->url.empty(), "the store has a url");
  });
  return 0;
}
