// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "threadkeep/url.hpp"

using namespace threadkeep;
using fuzz::accepts;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<Url> url;
  const auto text = fuzz::text_of(data, size);
  if (!accepts({Code::invalid_argument}, [&] { url = Url::parse(text); })) return 0;
  fuzz::check(!url->scheme().empty(), "a URL has a scheme");
  fuzz::check(url->path().find('\0') == std::string::npos, "a path holds no NUL");
  const auto password = url->take("password");
  url->take_duration("busy");
  url->take_choice("mode", {"a", "b"});
  const auto shown = url->redacted();
  fuzz::check(!password || shown.find("password=" + *password) == std::string::npos ||
                  *password == "***" || std::string_view("***").starts_with(*password),
              "a password is not shown");
  accepts({Code::invalid_argument}, [&] { url->finish(); });
  return 0;
}
