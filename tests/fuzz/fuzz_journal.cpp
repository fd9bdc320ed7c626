// SPDX-License-Identifier: Apache-2.0
// Entries of a journal, a file that may be damaged.
#include "fuzz.hpp"
#include "layers/mutation_codec.hpp"

using namespace threadkeep;

// What is read is written again, and then the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  JournalBody body;
  if (!fuzz::accepts({Code::corrupt}, [&] { body = decode_journal_body(text); })) return 0;
  const auto encoded = [](const JournalBody& read) {
    return std::visit([](const auto& part) { return encode(part); }, read);
  };
  const Bytes once = encoded(body);
  JournalBody again;
  fuzz::check(fuzz::accepts({}, [&] { again = decode_journal_body(once.view()); }),
              "what was written is read");
  fuzz::check(again.index() == body.index(), "as what it was");
  fuzz::check(encoded(again) == once, "and has one form");
  return 0;
}
