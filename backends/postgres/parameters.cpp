// SPDX-License-Identifier: Apache-2.0
#include "parameters.hpp"

#include <limits>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

constexpr int text_format = 0;
constexpr int binary_format = 1;

// Types of the elements of arrays (pg_type.oid).
constexpr std::uint32_t text_oid = 25;
constexpr std::uint32_t bigint_oid = 20;

// The server counts microseconds from the year 2000.
constexpr std::int64_t epoch_difference = 946'684'800'000'000;

// Big-endian, as the wire has it.
template <class Unsigned>
void append_integer(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

template <class Unsigned>
std::string encoded(Unsigned value) {
  std::string out;
  append_integer(out, value);
  return out;
}

std::uint32_t checked_length(std::size_t length) {
  if (length > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error(Code::invalid_argument, "a value of more than 2 GiB cannot be sent");
  }
  return static_cast<std::uint32_t>(length);
}

// The head of a one-dimensional array without nulls (array_send in the server).
std::string array_head(std::uint32_t element_type, std::size_t count) {
  std::string out;
  append_integer(out, std::uint32_t{count == 0 ? 0U : 1U});
  append_integer(out, std::uint32_t{0});
  append_integer(out, element_type);
  if (count == 0) return out;
  append_integer(out, checked_length(count));
  append_integer(out, std::uint32_t{1});
  return out;
}

}  // namespace

Parameters& Parameters::text(std::string_view value) {
  return add(value.data() ? value.data() : "", value.size(), binary_format);
}

Parameters& Parameters::text(const std::optional<std::string>& value) {
  return value ? text(std::string_view(*value)) : null();
}

Parameters& Parameters::json(const std::string& value) {
  return add(value.c_str(), value.size(), text_format);
}

Parameters& Parameters::bytes(const Bytes& value) {
  return text(value.view());
}

Parameters& Parameters::integer(std::int32_t value) {
  return add_owned(encoded(static_cast<std::uint32_t>(value)));
}

Parameters& Parameters::bigint(std::int64_t value) {
  return add_owned(encoded(static_cast<std::uint64_t>(value)));
}

Parameters& Parameters::boolean(bool value) {
  return add_owned(std::string(1, value ? '\1' : '\0'));
}

Parameters& Parameters::timestamp(std::int64_t microseconds) {
  return bigint(microseconds - epoch_difference);
}

Parameters& Parameters::text_array(std::span<const std::string> values) {
  std::string out = array_head(text_oid, values.size());
  for (const std::string& value : values) {
    append_integer(out, checked_length(value.size()));
    out += value;
  }
  return add_owned(std::move(out));
}

Parameters& Parameters::bigint_array(std::span<const std::int64_t> values) {
  std::string out = array_head(bigint_oid, values.size());
  for (const std::int64_t value : values) {
    append_integer(out, std::uint32_t{sizeof value});
    append_integer(out, static_cast<std::uint64_t>(value));
  }
  return add_owned(std::move(out));
}

Parameters& Parameters::null() {
  return add(nullptr, 0, binary_format);
}

Parameters& Parameters::add(const char* value, std::size_t length, int format) {
  values_.push_back(value);
  lengths_.push_back(static_cast<int>(checked_length(length)));
  formats_.push_back(format);
  size_ += length;
  return *this;
}

Parameters& Parameters::add_owned(std::string value) {
  owned_.push_back(std::move(value));
  return add(owned_.back().data(), owned_.back().size(), binary_format);
}

}  // namespace threadkeep::postgres
