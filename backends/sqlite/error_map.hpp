// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "threadkeep/error.hpp"

/// \file
/// From SQLite result codes to threadkeep::Error. The table is data; tests go through it row by
/// row.

namespace threadkeep::sqlite {

/// What one (extended) result code means to a caller.
struct ResultCode {
  int code;
  std::string_view name;    ///< "SQLITE_BUSY_SNAPSHOT"
  Code meaning;             ///< Before errno and the cause of an interruption are looked at.
  std::string_view advice;  ///< What to do next.
};

/// All rows, primary and extended codes.
std::span<const ResultCode> result_codes() noexcept;

/// The row of an extended code, of its primary code when it is not known by itself, or that of
/// SQLITE_ERROR.
const ResultCode& result_code(int extended) noexcept;

/// Why a statement was given up before its end.
enum class Interruption { none, deadline, stop };

/// A failed call of SQLite.
struct Failure {
  int code = 0;               ///< Extended result code.
  int system_errno = 0;       ///< sqlite3_system_errno(); 0 when the system was not involved.
  std::string_view detail{};  ///< sqlite3_errmsg()
  Interruption interruption = Interruption::none;
  bool committing = false;  ///< COMMIT itself failed.
};

/// The code of a failure. An interruption turns waiting for a lock into `timeout` or `cancelled`;
/// errno tells a full disk and missing permissions from other trouble; an I/O error of COMMIT
/// leaves the outcome unknown, unless there was no space to write to.
Code meaning_of(const Failure& failure) noexcept;

/// The error to throw: says what failed and what to do, and carries the name of the code.
Error make_error(const Failure& failure);

}  // namespace threadkeep::sqlite
