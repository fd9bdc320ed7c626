// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace threadkeep {

/// The address of a store: `scheme:path?key=value&...` or `scheme://authority/path?...`
/// (RFC 3986 generic syntax; path and parameters are percent-decoded).
///
/// A factory takes what it knows and then calls finish(), which reports everything that is wrong
/// at once: unknown or repeated keys, empty values, bad units. Not thread-safe.
class Url {
 public:
  /// Throws Error(invalid_argument) for text without a scheme, bad escapes, NUL or invalid UTF-8.
  static Url parse(std::string_view text);

  const std::string& scheme() const noexcept { return scheme_; }
  /// Raw, between `//` and the next `/`; absent when the URL has no `//`.
  const std::optional<std::string>& authority() const noexcept { return authority_; }
  const std::string& path() const noexcept { return path_; }

  /// The value of a parameter, which then counts as known.
  std::optional<std::string> take(std::string_view key);
  /// As take, for `500ms`, `5s`, `2m`, `1h`, `7d`; a number without unit is a problem.
  std::optional<std::chrono::milliseconds> take_duration(std::string_view key);
  /// Bytes; as take, for `512KiB`, `64MiB`, `1GiB`, above 0; a number without unit is a problem.
  std::optional<std::size_t> take_size(std::string_view key);
  /// As take, for one of `choices`.
  std::optional<std::string> take_choice(std::string_view key,
                                         const std::vector<std::string>& choices);
  /// Adds a problem that finish() will report.
  void problem(std::string text);
  /// Throws Error(invalid_argument) with all problems if there are any.
  void finish();

  /// The URL with password and secret parameters replaced by ***: the only form for logs.
  std::string redacted() const;

 private:
  struct Parameter {
    std::string key;
    std::string value;
    bool taken = false;
  };

  void parse_parameters(std::string_view query);

  std::string scheme_;
  std::optional<std::string> authority_;
  std::string path_;
  std::vector<Parameter> parameters_;
  std::vector<std::string> problems_;
};

/// The text as it is written as a value of a parameter: all but letters, digits, `-`, `.`, `_`,
/// `~`,
/// `/` and `:` as `%` and two hexadecimal digits.
std::string percent_encode(std::string_view text);

}  // namespace threadkeep
