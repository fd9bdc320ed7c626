// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "json.hpp"
#include "threadkeep/backend_support.hpp"

using namespace threadkeep;

// Metadata loses its NUL characters and is then accepted or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  const bool good_before =
      fuzz::accepts({Code::invalid_argument}, [&] { check_json_object("metadata", text); });
  const auto stripped = strip_nul(text);
  fuzz::check(stripped.size() <= text.size(), "stripping only removes");
  fuzz::check(strip_nul(stripped) == stripped || !good_before, "stripping once is enough");
  fuzz::check(!good_before || stripped == text, "what was good stays as it is");
  const bool good =
      fuzz::accepts({Code::invalid_argument}, [&] { check_json_object("metadata", stripped); });
  const bool read = fuzz::accepts({Code::corrupt}, [&] {
    delta_channels(stripped);
    run_id(stripped);
  });
  fuzz::check(read || !good, "metadata that was accepted can be read");
  return 0;
}
