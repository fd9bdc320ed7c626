// SPDX-License-Identifier: Apache-2.0
#include "fuzz.hpp"
#include "threadkeep/url.hpp"

using namespace threadkeep;
using fuzz::accepts;

namespace {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

// Any text as a password: refused or not shown.
void check_secret(std::string_view secret) {
  const auto encoded = percent_encoded(secret);
  const auto shown = [](const std::string& text) {
    std::string redacted;
    accepts({Code::invalid_argument}, [&] { redacted = Url::parse(text).redacted(); });
    return redacted;
  };
  const auto parameter = shown("x://h/p?password=" + encoded);
  fuzz::check(parameter.empty() || parameter == "x://h/p?password=***" || secret.empty(),
              "a password parameter is not shown");
  const auto authority = shown("x://user:" + encoded + "@h/");
  fuzz::check(authority.empty() || authority == "x://user:***@h/", "a password is not shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<Url> url;
  const auto text = fuzz::text_of(data, size);
  check_secret(text);
  if (!accepts({Code::invalid_argument}, [&] { url = Url::parse(text); })) return 0;
  fuzz::check(!url->scheme().empty(), "a URL has a scheme");
  fuzz::check(url->path().find('\0') == std::string::npos, "a path holds no NUL");
  url->take_duration("busy");
  url->take_choice("mode", {"a", "b"});
  accepts({Code::invalid_argument}, [&] { url->finish(); });
  return 0;
}
