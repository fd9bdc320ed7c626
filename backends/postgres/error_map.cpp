// SPDX-License-Identifier: Apache-2.0
#include "error_map.hpp"

#include <algorithm>
#include <array>

namespace threadkeep::postgres {

namespace {

constexpr std::string_view again = "try again";
constexpr std::string_view reach = "check that the server runs and can be reached, then try again";
constexpr std::string_view run_setup =
    "the tables are not what threadkeep expects; run: threadkeep setup";
constexpr std::string_view rights = "grant the role of this connection what it needs";
constexpr std::string_view login = "check user and password (URL, PGPASSWORD or password file)";
constexpr std::string_view server_log = "look into the server's log";
constexpr std::string_view smaller = "keep large values elsewhere and store a reference";
constexpr std::string_view report = "please report this as a defect of threadkeep";
constexpr std::string_view damaged =
    "the database is damaged: check the server's log and its disk, and restore a backup";
constexpr std::string_view more_time = "give the call more time, or raise statement_timeout";
constexpr std::string_view fewer =
    "lower pool_size, or raise the limit of connections (max_connections, of the role, of the "
    "database)";

// Class 22 stands with the names of its conditions: its messages quote the value that is wrong.
constexpr SqlState rows[] = {
    {"22001", Code::invalid_argument, {}, "a text is too long for its column"},
    {"22003", Code::invalid_argument, {}, "a number is out of range"},
    {"22007", Code::invalid_argument, {}, "a time has the wrong format"},
    {"22008", Code::invalid_argument, {}, "a time is out of range"},
    {"22012", Code::invalid_argument, {}, "division by zero"},
    {"22021", Code::invalid_argument, "texts must be UTF-8 without NUL",
     "a text holds bytes that the database does not accept"},
    {"22023",
     Code::invalid_argument,
     {},
     "a parameter has a value that the server does not accept"},
    {"22026", Code::invalid_argument, {}, "a text has the wrong length"},
    {"22030", Code::invalid_argument, {}, "a JSON object has a key twice"},
    {"22032", Code::invalid_argument, {}, "a text is not valid JSON"},
    {"22P02", Code::invalid_argument, {}, "a text does not have the form that its type demands"},
    {"22P03", Code::internal, report, "a binary value does not have the form of its type"},
    {"22P05", Code::invalid_argument, "JSON must not hold \\u0000",
     "a character that the database cannot hold"},
    {"08P01", Code::unavailable, reach},
    {"0A000", Code::unsupported},
    {"23505", Code::duplicate},
    {"25001", Code::internal, report},
    {"25006", Code::denied,
     "the server or the session is read-only; with several hosts in the URL, "
     "target_session_attrs=read-write finds the one that accepts writes"},
    {"25P02", Code::internal, report},
    {"25P03", Code::unavailable, again},
    {"25P04", Code::timeout, more_time},
    {"26000", Code::unavailable,
     "a pooler stands between and does not know prepared statements; set prepare=never"},
    {"28000", Code::denied, "check the role, and the rules of the server's pg_hba.conf"},
    {"28P01", Code::denied, login},
    {"3D000", Code::invalid_argument, "create the database, or name another in the URL"},
    {"3F000", Code::invalid_argument, "create the schema, or name another by ?schema="},
    {"40001", Code::unavailable, again},
    {"40003", Code::unavailable, again},
    {"40P01", Code::unavailable, again},
    {"42501", Code::denied, rights},
    {"42602", Code::invalid_argument},
    {"42622", Code::invalid_argument},
    {"42703", Code::corrupt, run_setup},
    {"42704", Code::corrupt, run_setup},
    {"42804", Code::corrupt, run_setup},
    {"42883", Code::corrupt, run_setup},
    {"42P01", Code::corrupt, run_setup},
    {"42P05", Code::unavailable,
     "a pooler stands between and does not know prepared statements; set prepare=never"},
    {"42P07", Code::duplicate},
    {"42P10", Code::corrupt, run_setup},
    {"44000", Code::denied, rights},
    {"53100", Code::no_space, "free space on the server's disk, then try again"},
    {"53200", Code::unavailable, "the server is out of memory; try again"},
    {"53300", Code::unavailable, fewer},
    {"54000", Code::invalid_argument, smaller},
    {"54001", Code::internal, report},
    {"54011", Code::internal, report},
    {"54023", Code::internal, report},
    {"55006", Code::unavailable, again},
    {"55P03", Code::unavailable, again},
    {"57014", Code::timeout, more_time},
    {"57P01", Code::unavailable, again},
    {"57P02", Code::unavailable, again},
    {"57P03", Code::unavailable,
     "the server is starting up, shutting down or recovering; try again"},
    {"57P04", Code::unavailable, "the database was dropped"},
    {"57P05", Code::unavailable, again},
    {"58030", Code::unavailable, "check the server's disk and its log, then try again"},
    {"XX001", Code::corrupt, damaged},
    {"XX002", Code::corrupt, "an index is damaged: REINDEX it"},
    // Classes.
    {"08", Code::unavailable, reach},
    {"0A", Code::unsupported},
    {"22", Code::invalid_argument, {}, "a value does not fit its type"},
    {"23", Code::conflict},
    {"25", Code::internal, report},
    {"28", Code::denied, login},
    {"40", Code::unavailable, again},
    {"42", Code::internal, report},
    {"44", Code::denied, rights},
    {"53", Code::unavailable, "the server is short of resources; try again"},
    {"54", Code::invalid_argument, smaller},
    {"55", Code::unavailable, again},
    {"57", Code::unavailable, again},
    {"58", Code::internal, server_log},
    {"P0", Code::internal, server_log, "a trigger or function of the database raised an error"},
    {"XX", Code::internal, server_log},
};

const SqlState* find_row(std::string_view state) noexcept {
  const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const SqlState& r) { return r.state == state; });
  return row == std::end(rows) ? nullptr : row;
}

std::string_view field(const PGresult* result, int code) noexcept {
  const char* text = PQresultErrorField(result, code);
  return text ? text : std::string_view();
}

// RAISE of PL/pgSQL: the words are those of whoever wrote the trigger, under any code.
bool raised_by_function(const PGresult* result) noexcept {
  return field(result, PG_DIAG_SOURCE_FUNCTION) == "exec_stmt_raise";
}

// A file that may not grow, by a quota or a limit of processes: the server has no code for these.
bool cannot_extend_file(const PGresult* result) noexcept {
  const auto function = field(result, PG_DIAG_SOURCE_FUNCTION);
  return state_of(result) == "XX000" && (function == "mdextend" || function == "mdzeroextend");
}

std::string with_advice(std::string_view message, std::string_view advice) {
  std::string text(message);
  if (!advice.empty()) text.append("; ").append(advice);
  return text;
}

std::string_view safe_message(const PGresult* result, const SqlState& row) noexcept {
  if (!row.condition.empty()) return row.condition;
  if (raised_by_function(result)) return sql_state("P0001").condition;
  return field(result, PG_DIAG_MESSAGE_PRIMARY);
}

std::string_view without_line_ends(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

bool is_state_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

// What the server says at verbosity PQERRORS_VERBOSE: "FATAL:  28P01: password ...", and further
// lines of detail. The first word is in the language of the server.
struct ServerMessage {
  std::string_view state;
  std::string_view primary;
};

ServerMessage last_server_message(std::string_view text) noexcept {
  for (auto at = text.rfind(":  "); at != std::string_view::npos && at != 0;
       at = text.rfind(":  ", at - 1)) {
    const auto state = text.substr(at + 3, 5);
    const bool whole = state.size() == 5 && text.substr(at + 8, 2) == ": ";
    if (!whole || !std::all_of(state.begin(), state.end(), is_state_character)) continue;
    const auto primary = text.substr(at + 10);
    return {state, without_line_ends(primary.substr(0, primary.find('\n')))};
  }
  return {};
}

// Failures of libpq itself have no code. These ones do not go away by trying again; other words,
// and other languages, count as an outage.
struct LocalFailure {
  std::string_view part;
  Code meaning;
  std::string_view advice;
};

constexpr std::array<LocalFailure, 8> local_failures = {{
    {"certificate", Code::denied, "check sslrootcert, sslcert and the name of the host"},
    {"does not match host name", Code::denied, "check the name of the host"},
    {"does not support SSL", Code::denied, "switch TLS on at the server, or lower sslmode"},
    {"no password supplied", Code::denied, login},
    {"session is read-only", Code::unavailable, "target_session_attrs asks for another"},
    {"session is not read-only", Code::unavailable, "target_session_attrs asks for another"},
    {"hot standby", Code::unavailable, "target_session_attrs asks for another"},
    {"", Code::unavailable, reach},
}};

const LocalFailure& local_failure(std::string_view text) noexcept {
  return *std::find_if(local_failures.begin(), local_failures.end(), [&](const LocalFailure& f) {
    return text.find(f.part) != std::string_view::npos;
  });
}

}  // namespace

std::span<const SqlState> sql_states() noexcept {
  return rows;
}

const SqlState& sql_state(std::string_view state) noexcept {
  if (const auto* row = find_row(state)) return *row;
  if (const auto* row = find_row(state.substr(0, 2))) return *row;
  return *find_row("XX");
}

std::string_view state_of(const PGresult* result) noexcept {
  return field(result, PG_DIAG_SQLSTATE);
}

// An error that ends the session may come after the commit, whatever its code. These two cannot:
// they are raised while the server waits for a command.
bool leaves_outcome_open(const PGresult* result) noexcept {
  const auto state = state_of(result);
  if (state == "57P05" || state == "25P03") return false;
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC" || state.starts_with("08") || state == "40003";
}

Error make_error(const PGresult* result, Effect effect) {
  const auto state = state_of(result);
  if (state.empty()) return make_lost_error(PQresultErrorMessage(result), effect);
  const SqlState& row = sql_state(cannot_extend_file(result) ? "53100" : state);
  if (effect == Effect::commit && leaves_outcome_open(result)) {
    return Error(Code::outcome_unknown, safe_message(result, row), state);
  }
  return Error(row.meaning, with_advice(safe_message(result, row), row.advice), state);
}

Error make_lost_error(std::string_view message, Effect effect) {
  const auto first_line = without_line_ends(message.substr(0, message.find('\n')));
  const auto said = first_line.empty() ? "the connection to the server was lost" : first_line;
  if (effect == Effect::commit) return Error(Code::outcome_unknown, said);
  return Error(Code::unavailable, with_advice(said, again));
}

bool ConnectFailure::is_final() const noexcept {
  return !state.empty() && state != "57P03";
}

ConnectFailure connect_failure(std::string_view text) {
  if (const auto said = last_server_message(text); !said.state.empty()) {
    const SqlState& row = sql_state(said.state);
    // A setting in `options` that the server does not know, or a value that it does not take; the
    // user's own words, so they may be quoted.
    if (said.state == "42704" || said.state == "22023") {
      return {Code::invalid_argument, std::string(said.state), std::string(said.primary)};
    }
    const auto message = row.condition.empty() ? said.primary : row.condition;
    return {row.meaning, std::string(said.state), with_advice(message, row.advice)};
  }
  std::string said(without_line_ends(text));
  std::replace(said.begin(), said.end(), '\n', ' ');
  std::erase(said, '\t');
  if (said.ends_with('.')) said.pop_back();  // advice follows
  // A value of a keyword that libpq refuses before it does anything.
  if (said.starts_with("invalid ")) return {Code::invalid_argument, {}, said};
  const LocalFailure& failure = local_failure(text);
  return {failure.meaning, {}, with_advice(said, failure.advice)};
}

}  // namespace threadkeep::postgres
