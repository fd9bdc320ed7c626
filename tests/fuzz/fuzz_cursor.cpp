// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "threadkeep/session_support.hpp"

using namespace threadkeep;

// Two readings of the input: as a cursor, and as a position to make a cursor of.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const CursorCodec codec{CheckpointList{}};
  const auto text = fuzz::text_of(data, size);
  const CursorCodec messages{MessageList{}};
  fuzz::accepts({Code::invalid_argument}, [&] { read_seq_cursor(messages, text); });
  fuzz::accepts({Code::invalid_argument},
                [&] { read_seq_cursor(messages, messages.encode({std::string(text)})); });
  for (std::size_t parts = 0; parts < 4; ++parts) {
    std::vector<std::string> position;
    const bool good =
        fuzz::accepts({Code::invalid_argument}, [&] { position = codec.decode(text, parts); });
    if (!good) continue;
    fuzz::check(position.size() == parts, "a cursor has the parts that were asked for");
    fuzz::check(codec.encode(position) == text, "a position has one cursor");
  }
  std::vector<std::string> position;
  for (std::size_t at = 0; at <= text.size() && position.size() < 3;) {
    const auto end = std::min(text.find('/', at), text.size());
    position.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  fuzz::check(codec.decode(codec.encode(position), position.size()) == position,
              "a cursor gives its position back");
  return 0;
}
