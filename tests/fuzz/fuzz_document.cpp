// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "json.hpp"
#include "threadkeep/backend_support.hpp"

using namespace threadkeep;

// A document passes the door or is refused; what passed can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const bool good =
      fuzz::accepts({Code::invalid_argument}, [&] { check_json_object("document", text); });
  DocumentChannels channels;
  const bool read = fuzz::accepts({Code::corrupt}, [&] { channels = read_document(text); });
  if (!good) return 0;
  fuzz::check(read, "a document that was accepted can be read");
  fuzz::check(json_equal(text, text), "a document equals itself");
  for (const auto& [channel, value] : channels.inline_values) {
    const auto& raw = value;
    fuzz::check(fuzz::accepts({}, [&] { check_json("value", raw); }), "an inline value is JSON");
  }
  return 0;
}
