// SPDX-License-Identifier: Apache-2.0
#include "result.hpp"

#include <charconv>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// pg_type.oid of the types that are read.
enum Type : Oid {
  boolean_type = 16,
  bytea_type = 17,
  name_type = 19,
  bigint_type = 20,
  smallint_type = 21,
  integer_type = 23,
  text_type = 25,
  oid_type = 26,
  json_type = 114,
  varchar_type = 1043,
  timestamptz_type = 1184,
  jsonb_type = 3802,
};

// The server counts microseconds from the year 2000.
constexpr std::int64_t epoch_difference = 946'684'800'000'000;

[[noreturn]] void misfit(const PGresult* rows, int column, std::string_view wanted) {
  throw Error(Code::internal, "column " + std::to_string(column) + " of type " +
                                  std::to_string(PQftype(rows, column)) + " was read as " +
                                  std::string(wanted));
}

std::string_view raw(const PGresult* rows, std::size_t row, int column) noexcept {
  const int at = static_cast<int>(row);
  return {PQgetvalue(rows, at, column), static_cast<std::size_t>(PQgetlength(rows, at, column))};
}

// Big-endian two's complement.
std::int64_t number(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  const auto unused = static_cast<int>(64 - 8 * bytes.size());
  return static_cast<std::int64_t>(value << unused) >> unused;
}

bool is_binary(const PGresult* rows, int column) noexcept {
  return PQfformat(rows, column) == 1;
}

bool has_characters(Oid type) noexcept {
  return type == text_type || type == varchar_type || type == name_type || type == bytea_type;
}

}  // namespace

int Result::columns() const noexcept {
  return PQnfields(rows_.get());
}

std::size_t Result::size() const noexcept {
  return static_cast<std::size_t>(PQntuples(rows_.get()));
}

std::uint64_t Result::affected() const noexcept {
  // libpq only reads the tag, but does not say so in the types of these functions.
  auto* rows = const_cast<PGresult*>(rows_.get());
  if (std::string_view(PQcmdStatus(rows)).starts_with("SELECT")) return 0;
  const std::string_view digits = PQcmdTuples(rows);
  std::uint64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

bool Result::is_null(std::size_t row, int column) const noexcept {
  return PQgetisnull(rows_.get(), static_cast<int>(row), column) == 1;
}

std::string_view Result::view(std::size_t row, int column) const noexcept {
  return raw(rows_.get(), row, column);
}

std::string Result::text(std::size_t row, int column) const {
  const Oid type = PQftype(rows_.get(), column);
  if (is_binary(rows_.get(), column) && !has_characters(type)) misfit(rows_.get(), column, "text");
  return std::string(view(row, column));
}

std::optional<std::string> Result::optional_text(std::size_t row, int column) const {
  if (is_null(row, column)) return {};
  return text(row, column);
}

std::string Result::json(std::size_t row, int column) const {
  return std::string(json_view(row, column));
}

std::string_view Result::json_view(std::size_t row, int column) const {
  auto value = view(row, column);
  const Oid type = PQftype(rows_.get(), column);
  if (type == json_type || !is_binary(rows_.get(), column) || is_null(row, column)) return value;
  // jsonb_send: one byte of version, then text.
  if (type != jsonb_type || value.empty() || value.front() != '\1') {
    misfit(rows_.get(), column, "jsonb");
  }
  value.remove_prefix(1);
  return value;
}

Bytes Result::bytes(std::size_t row, int column) const {
  if (PQftype(rows_.get(), column) != bytea_type || !is_binary(rows_.get(), column)) {
    misfit(rows_.get(), column, "bytea");
  }
  return Bytes::share(rows_, view(row, column));
}

std::int64_t Result::integer(std::size_t row, int column) const {
  const auto value = view(row, column);
  const Oid type = PQftype(rows_.get(), column);
  const bool fits = type == smallint_type || type == integer_type || type == bigint_type;
  if (!is_binary(rows_.get(), column) || value.empty() || !(fits || type == oid_type)) {
    misfit(rows_.get(), column, "an integer");
  }
  const auto signed_value = number(value);
  return type == oid_type ? static_cast<std::uint32_t>(signed_value) : signed_value;
}

bool Result::boolean(std::size_t row, int column) const {
  const auto value = view(row, column);
  if (PQftype(rows_.get(), column) != boolean_type || value.size() != 1 ||
      !is_binary(rows_.get(), column)) {
    misfit(rows_.get(), column, "a boolean");
  }
  return value.front() != '\0';
}

std::int64_t Result::timestamp(std::size_t row, int column) const {
  const auto value = view(row, column);
  if (PQftype(rows_.get(), column) != timestamptz_type || value.size() != 8 ||
      !is_binary(rows_.get(), column)) {
    misfit(rows_.get(), column, "a time");
  }
  return number(value) + epoch_difference;
}

}  // namespace threadkeep::postgres
