// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "json.hpp"
#include "text.hpp"
#include "threadkeep/session_support.hpp"

using namespace threadkeep;

namespace {

void merge(const std::string& value, const std::string& patch) {
  const auto is_json = [](const std::string& text) {
    return fuzz::accepts({Code::invalid_argument}, [&] { check_json("f", text); });
  };
  if (!is_json(value) || !is_json(patch)) return;
  const StateChange change{"k", StateChange::Kind::merge, patch, {}};
  const auto merged = change_document(StateDocument{"k", value, 1}, change);
  fuzz::check(merged.document.has_value(), "a merge leaves a document");
  fuzz::check(is_json(merged.document->value), "a merge makes JSON of JSON");
  const auto again = change_document(merged.document, change);
  fuzz::check(!again.changed, "a merge done twice changes nothing more");
}

}  // namespace

// Two readings of the input: as what an operation did, and as a document and a patch, each ended by
// a newline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (!is_utf8(text)) return 0;  // Nothing else is stored.
  fuzz::accepts({Code::corrupt}, [&] {
    const Written written = decode_written(text);
    fuzz::check(decode_written(encode_written(written)) == written, "what was read is written");
  });
  const auto end = std::min(text.find('\n'), text.size());
  merge(std::string(text.substr(0, end)), std::string(text.substr(std::min(end + 1, text.size()))));
  return 0;
}
