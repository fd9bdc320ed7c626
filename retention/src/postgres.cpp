// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/postgres.hpp"

#include "retention/sql.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::retention {

namespace {

// Counts changes of the functions; a program does not replace what a newer one has installed.
constexpr int module_version = 3;

SqlHost& host_of(Store& store) {
  if (SqlHost* host = store.sql()) return *host;
  throw Error(Code::unsupported,
              "this store has no SQL database; it is " + store.capabilities().name);
}

std::string quote_identifier(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string fill(std::string text, const std::string& name, const std::string& value) {
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    text.replace(at, name.size(), value);
    at += value.size();
  }
  return text;
}

std::string install_script() {
  std::string script;
  for (const std::string_view part :
       {sql::retention_tables, sql::retention_record, sql::retention_helpers, sql::retention_decide,
        sql::retention_plan, sql::retention_sweep, sql::retention_calls, sql::retention_rights}) {
    script += part;
  }
  script = fill(std::move(script), "{granted}", std::string(sql::retention_granted));
  script = fill(std::move(script), "{module_version}", std::to_string(module_version));
  return fill(std::move(script), "{tool_version}", THREADKEEP_VERSION);
}

}  // namespace

PostgresRetention::PostgresRetention(Store& store) : sql_(host_of(store)) {}

std::vector<SqlHost::Row> PostgresRetention::query(std::string_view statement,
                                                   std::span<const std::string> parameters,
                                                   const Call& call) {
  try {
    return sql_.query(statement, parameters, call);
  } catch (const Error& error) {
    for (const char* absent : {"42883", "42P01", "42703"}) {
      if (error.native() != absent) continue;
      throw Error(Code::unsupported,
                  "retention is not installed here, or by an older version; install it first "
                  "(threadkeep retention install)",
                  absent);
    }
    throw;
  }
}

void PostgresRetention::install(const Call& call) {
  sql_.execute(install_script(), call);
}

void PostgresRetention::grant(const std::string& role, const Call& call) {
  if (role.empty()) throw Error(Code::invalid_argument, "role is empty; name the role that sweeps");
  const std::string script =
      fill(std::string(sql::retention_grant), "{granted}", std::string(sql::retention_granted));
  sql_.execute(fill(script, "{grantee}", quote_identifier(role)), call);
}

void PostgresRetention::apply(std::span<const Policy> policies, const Call& call) {
  const std::string json[] = {to_json(policies)};
  query(sql::call_apply, json, call);
}

std::vector<Policy> PostgresRetention::policies(const Call& call) {
  const auto rows = query(sql::call_policies, {}, call);
  return policies_from_json(rows.front().front().value());
}

void PostgresRetention::require_archive(bool required, const Call& call) {
  const std::string parameters[] = {required ? "true" : "false"};
  query(sql::call_require_archive, parameters, call);
}

bool PostgresRetention::archive_required(const Call& call) {
  return query(sql::call_archive_required, {}, call).front().front() == "true";
}

void PostgresRetention::keep(const KeepTimes& times, const Call& call) {
  const std::string parameters[] = {format_duration(times.tombstones),
                                    format_duration(times.audit)};
  query(sql::call_keep, parameters, call);
}

KeepTimes PostgresRetention::keep_times(const Call& call) {
  const auto rows = query(sql::call_keep_times, {}, call);
  const auto read =
      read_keep_times({.tombstones = rows.front().at(0), .audit = rows.front().at(1)});
  if (read.problems.empty()) return read.times;
  throw Error(Code::corrupt, "table threadkeep_retention_settings: " + read.problems[0].field +
                                 " " + read.problems[0].text);
}

bool PostgresRetention::mark(const std::string& thread_id, const char* kind,
                             const std::string& name, bool set, const Call& call) {
  const std::string parameters[] = {thread_id, kind, name, set ? "true" : "false"};
  const auto rows = query(sql::call_mark, parameters, call);
  return rows.front().front() == "true";
}

bool PostgresRetention::pin(const std::string& thread_id, const Call& call) {
  return mark(thread_id, "pin", "", true, call);
}

bool PostgresRetention::unpin(const std::string& thread_id, const Call& call) {
  return mark(thread_id, "pin", "", false, call);
}

bool PostgresRetention::hold(const std::string& thread_id, const std::string& name,
                             const Call& call) {
  if (name.empty()) throw Error(Code::invalid_argument, "name of the hold is empty; name the case");
  return mark(thread_id, "hold", name, true, call);
}

bool PostgresRetention::release(const std::string& thread_id, const std::string& name,
                                const Call& call) {
  return mark(thread_id, "hold", name, false, call);
}

void PostgresRetention::expire(const std::string& thread_id, std::optional<std::int64_t> at,
                               const Call& call) {
  const std::string parameters[] = {thread_id, at ? std::to_string(*at) : ""};
  query(sql::call_expire, parameters, call);
}

}  // namespace threadkeep::retention
