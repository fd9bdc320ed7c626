// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "json.hpp"
#include "text.hpp"
#include "threadkeep/backend_support.hpp"

using namespace threadkeep;

// The input is a key, a value and metadata, each ended by a newline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto first = std::min(text.find('\n'), text.size());
  const auto second = std::min(text.find('\n', std::min(first + 1, text.size())), text.size());
  const std::string key(text.substr(0, first));
  const std::string value(
      text.substr(std::min(first + 1, second), second - std::min(first + 1, second)));
  const std::string metadata(text.substr(std::min(second + 1, text.size())));

  if (!is_utf8(key)) return 0;  // The store refuses it before.

  std::optional<MetadataFilter> filter;
  const bool is_json = fuzz::accepts({Code::invalid_argument}, [&] {
    filter.emplace(std::vector{MetadataEquals{key, value}});
  });
  const bool stored =
      fuzz::accepts({Code::invalid_argument}, [&] { check_json_object("metadata", metadata); });
  if (!is_json) return 0;
  if (!stored) {
    fuzz::accepts({Code::corrupt}, [&] { static_cast<void>(filter->matches(metadata)); });
    return 0;
  }
  filter->matches(metadata);
  const auto found = "{" + quote_json(key) + ":" + value + "}";
  if (fuzz::accepts({Code::invalid_argument}, [&] { check_json_object("metadata", found); })) {
    fuzz::check(filter->matches(found), "a filter matches its own value");
  }
  fuzz::check(!filter->matches("{}"), "a filter does not match a missing key");
  return 0;
}
