// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/bytes.hpp"

namespace threadkeep::postgres {

/// The parameters of one execution of a statement, in the order of its placeholders.
///
/// Texts, JSON and bytes are referred to and not copied: they must live until the statement was
/// sent. Everything but JSON travels in the server's binary formats, so a placeholder needs the
/// type that its function names: `$1::text`, `$2::bigint`. Not thread-safe.
class Parameters {
 public:
  Parameters() = default;
  Parameters(Parameters&&) = default;
  Parameters& operator=(Parameters&&) = default;
  Parameters(const Parameters&) = delete;  // a copy would refer to the numbers of the original
  Parameters& operator=(const Parameters&) = delete;

  Parameters& text(std::string_view value);
  Parameters& text(const std::string& value) { return text(std::string_view(value)); }
  Parameters& text(const char* value) { return text(std::string_view(value)); }
  Parameters& text(std::string&& value) = delete;  // would be gone before the statement is sent
  Parameters& text(const std::optional<std::string>& value);
  /// For jsonb and json; `value` is valid JSON and ends where its buffer has a NUL.
  Parameters& json(const std::string& value);
  Parameters& json(std::string&& value) = delete;
  Parameters& bytes(const Bytes& value);
  Parameters& integer(std::int32_t value);
  Parameters& bigint(std::int64_t value);
  Parameters& boolean(bool value);
  /// Microseconds since 1970 UTC, for timestamptz.
  Parameters& timestamp(std::int64_t microseconds);
  Parameters& text_array(std::span<const std::string> values);
  Parameters& bigint_array(std::span<const std::int64_t> values);
  Parameters& null();

  /// As libpq takes them.
  int count() const noexcept { return static_cast<int>(values_.size()); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }
  /// Bytes of all values together.
  std::size_t size() const noexcept { return size_; }

 private:
  Parameters& add(const char* value, std::size_t length, int format);
  Parameters& add_owned(std::string value);

  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::deque<std::string> owned_;  // a deque, so that its strings stay where they are
  std::size_t size_ = 0;
};

}  // namespace threadkeep::postgres
