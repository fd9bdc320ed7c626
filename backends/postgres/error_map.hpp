// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <span>
#include <string>
#include <string_view>

#include "threadkeep/error.hpp"

/// \file
/// From SQLSTATE codes and libpq's own failures to threadkeep::Error. The table is data; tests go
/// through it row by row.
///
/// Messages hold what the server calls the primary message and nothing else: details, contexts and
/// queries may quote what is stored. Where the primary message may do so too, its place is taken by
/// the name of the condition.

namespace threadkeep::postgres {

/// What a round trip may leave behind, and so what its failure means.
enum class Effect {
  none,    ///< It reads, or its transaction is not committed yet: a loss means nothing was done.
  commit,  ///< It commits: when the connection or the time is lost after sending, the outcome is
           ///< unknown.
};

/// What one SQLSTATE, or a class of them, means to a caller.
struct SqlState {
  std::string_view state;  ///< Five characters, or two for the rest of a class.
  Code meaning;
  std::string_view advice{};     ///< What to do next; may be empty.
  std::string_view condition{};  ///< Said in place of the server's message, which may quote values.
};

/// All rows: exact ones before those of classes.
std::span<const SqlState> sql_states() noexcept;

/// The row of a code, else of its class, else that of XX.
const SqlState& sql_state(std::string_view state) noexcept;

/// The SQLSTATE of a failed result; empty when libpq itself failed.
std::string_view state_of(const PGresult* result) noexcept;

/// The error of a statement that the server refused. `effect` matters where the connection ended.
Error make_error(const PGresult* result, Effect effect);

/// The error of a connection that was lost while a call was under way.
Error make_lost_error(std::string_view message, Effect effect);

/// Why one attempt to connect failed.
struct ConnectFailure {
  Code code = Code::unavailable;
  std::string state{};    ///< SQLSTATE; empty when no server answered.
  std::string message{};  ///< With the advice.

  /// The server has decided, and another host of the same cluster would not decide otherwise.
  bool is_final() const noexcept;
};

/// `text` is what PQerrorMessage says at verbosity PQERRORS_VERBOSE.
ConnectFailure connect_failure(std::string_view text);

}  // namespace threadkeep::postgres
