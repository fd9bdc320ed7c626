// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include "text.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::invalid_argument, "url: " + what);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) refuse("'%' must be followed by two hexadecimal digits; write %25 for a '%'");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (out.find('\0') != std::string::npos) refuse("it must not contain a NUL byte");
  if (!is_utf8(out)) refuse("it must be UTF-8");
  return out;
}

template <class Texts>
std::string joined(const Texts& texts, std::string_view separator) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += separator;
    out += text;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_secret(std::string_view key) {
  const std::string name = lower(key);
  constexpr std::array<std::string_view, 4> marks = {"password", "secret", "token", "passphrase"};
  return std::any_of(marks.begin(), marks.end(),
                     [&](std::string_view mark) { return name.find(mark) != std::string::npos; });
}

// "user:password@host" becomes "user:***@host".
std::string redact_authority(std::string_view authority) {
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(authority);
  const auto colon = authority.find(':');
  const auto user = authority.substr(0, std::min(colon, at));
  std::string out(user);
  if (colon < at) out += ":***";
  return out.append(authority.substr(at));
}

bool is_scheme_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

bool has_scheme(std::string_view text) {
  const std::string scheme = lower(text.substr(0, text.find("://")));
  return std::all_of(scheme.begin(), scheme.end(), is_scheme_character);
}

// A URL in the URL, and what libpq calls a connection string, have secrets of their own.
std::string redact_value(std::string_view key, const std::string& value) {
  if (is_secret(key)) return "***";
  const bool is_url = value.find("://") != std::string::npos;
  if (is_url && !has_scheme(value)) return "***";
  // Addresses within addresses within addresses: each is taken apart for this.
  constexpr int most_addresses = 8;
  if (std::count(value.begin(), value.end(), '?') > most_addresses) return "***";
  if (!is_url && value.find('?') == std::string::npos) {
    // An '@' is of a URL whose scheme was forgotten.
    const bool open =
        value.find('@') == std::string::npos && lower(value).find("password=") == std::string::npos;
    return open ? value : "***";
  }
  try {
    return Url::parse(value).redacted();
  } catch (const Error&) {
    return "***";
  }
}

bool is_port(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "user:pa/ss@host" ends the authority within the password: the rest of it would be taken for a
// path or a parameter, and shown.
bool cuts_password(std::string_view authority, std::string_view rest) {
  const auto colon = authority.rfind(':');
  const bool may_be_cut = colon != std::string_view::npos && !authority.ends_with(']') &&
                          authority.find('@') == std::string_view::npos;
  if (!may_be_cut) return false;
  const bool host_and_port = is_port(authority.substr(colon + 1));
  return rest.substr(0, host_and_port ? rest.find('=') : rest.size()).find('@') !=
         std::string_view::npos;
}

void check_authority(std::string_view authority, std::string_view rest) {
  percent_decode(authority);  // refuses what no later use could accept
  if (!cuts_password(authority, rest)) return;
  refuse("a '/' or '?' in a password must be written %2F or %3F, and a '@' in a path %40");
}

// A century: no one waits longer, and it fits into the nanoseconds of the clocks.
constexpr std::int64_t longest_days = 36'500;
constexpr std::int64_t longest_milliseconds = longest_days * 86'400'000;

// Milliseconds of `500ms`, `5s`, `2m`, `1h`, `7d`; empty when it is none of these or too large.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || number < 0) return {};
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  constexpr std::array<Unit, 5> units = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name != suffix) continue;
    if (number > longest_milliseconds / unit.milliseconds) return {};
    return number * unit.milliseconds;
  }
  return {};
}

// Bytes of `512KiB`, `64MiB`, `1GiB`; empty when it is none of these or too large.
std::optional<std::size_t> parse_size(std::string_view text) {
  std::size_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || number == 0) return {};
  constexpr std::array<std::string_view, 3> units = {"KiB", "MiB", "GiB"};
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  std::size_t factor = 1;
  for (const std::string_view unit : units) {
    factor *= 1024;
    if (unit != suffix) continue;
    if (number > std::numeric_limits<std::size_t>::max() / factor) return {};
    return number * factor;
  }
  return {};
}

// Each parameter is compared with all others.
constexpr std::size_t max_bytes = 65'536;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/:").find(c) != std::string_view::npos;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte / 16];
    out += digits[byte % 16];
  }
  return out;
}

Url Url::parse(std::string_view text) {
  if (text.size() > max_bytes) {
    refuse("it is " + std::to_string(text.size()) + " bytes long; at most " +
           std::to_string(max_bytes) + " are allowed");
  }
  const auto colon = text.find(':');
  const auto first_other = text.find_first_of("/?#");
  if (colon == std::string_view::npos || colon == 0 || first_other < colon) {
    refuse("it must begin with a scheme, such as sqlite:agent.db or memory:");
  }
  if (text.find('#') != std::string_view::npos) {
    refuse("it has no use for a '#'; write %23 for one that belongs to a name");
  }
  Url url;
  url.scheme_ = lower(text.substr(0, colon));
  std::string_view rest = text.substr(colon + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    url.authority_ = std::string(rest.substr(0, end));
    rest.remove_prefix(end);
    check_authority(*url.authority_, rest);
  }
  const auto question = std::min(rest.find('?'), rest.size());
  url.path_ = percent_decode(rest.substr(0, question));
  url.parse_parameters(rest.substr(std::min(question + 1, rest.size())));
  return url;
}

void Url::parse_parameters(std::string_view query) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    std::string key = percent_decode(pair.substr(0, equals));
    std::string value = percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    if (value.empty()) {
      problem("parameter '" + key + "' needs a value: " + key + "=...");
      continue;
    }
    const bool repeated = std::any_of(parameters_.begin(), parameters_.end(),
                                      [&](const Parameter& p) { return p.key == key; });
    if (repeated) problem("parameter '" + key + "' is given twice");
    parameters_.push_back({std::move(key), std::move(value)});
  }
}

// What was asked for and not given is noted without a value, so that finish() can tell what is
// known; parameters of the text always have one.
std::optional<std::string> Url::take(std::string_view key) {
  std::optional<std::string> found;
  bool known = false;
  for (Parameter& parameter : parameters_) {
    if (parameter.key != key) continue;
    parameter.taken = known = true;
    if (!found && !parameter.value.empty()) found = parameter.value;
  }
  if (!known) parameters_.push_back({std::string(key), "", true});
  return found;
}

std::optional<std::chrono::milliseconds> Url::take_duration(std::string_view key) {
  const auto text = take(key);
  if (!text) return {};
  const auto milliseconds = parse_duration(*text);
  if (!milliseconds) {
    problem("parameter '" + std::string(key) +
            "' must be a duration such as 500ms, 5s or 2m, at most " +
            std::to_string(longest_days) + "d");
    return {};
  }
  return std::chrono::milliseconds(*milliseconds);
}

std::optional<std::size_t> Url::take_size(std::string_view key) {
  const auto text = take(key);
  if (!text) return {};
  const auto bytes = parse_size(*text);
  if (!bytes) {
    problem("parameter '" + std::string(key) + "' must be a size such as 512KiB, 64MiB or 1GiB");
  }
  return bytes;
}

std::optional<std::string> Url::take_choice(std::string_view key,
                                            const std::vector<std::string>& choices) {
  auto text = take(key);
  if (!text || std::find(choices.begin(), choices.end(), *text) != choices.end()) return text;
  problem("parameter '" + std::string(key) + "' must be one of: " + joined(choices, ", "));
  return {};
}

void Url::problem(std::string text) {
  problems_.push_back(std::move(text));
}

void Url::finish() {
  std::set<std::string> known;
  std::set<std::string> unknown;
  for (const Parameter& parameter : parameters_) {
    (parameter.taken ? known : unknown).insert(parameter.key);
  }
  const std::string remedy = known.empty() ? "there are none" : "known are: " + joined(known, ", ");
  for (const std::string& key : unknown) {
    problem("unknown parameter '" + key + "'; " + remedy);
  }
  if (problems_.empty()) return;
  // What nobody knows may be a secret whose name is misspelled, in a URL within the URL too.
  Url shown = *this;
  for (Parameter& parameter : shown.parameters_) {
    if (!parameter.taken && !parameter.value.empty()) parameter.value = "***";
    if (parameter.value.find("://") == std::string::npos) continue;
    parameter.value.resize(std::min(parameter.value.find('?'), parameter.value.size()));
  }
  throw Error(Code::invalid_argument, "url '" + shown.redacted() + "': " + joined(problems_, "; "));
}

std::string Url::redacted() const {
  std::string out = scheme_ + ":";
  if (authority_) out.append("//").append(redact_authority(*authority_));
  out += path_;
  char separator = '?';
  for (const Parameter& parameter : parameters_) {
    if (parameter.value.empty()) continue;
    out += separator;
    out += parameter.key;
    out += '=';
    out += redact_value(parameter.key, parameter.value);
    separator = '&';
  }
  return out;
}

}  // namespace threadkeep
