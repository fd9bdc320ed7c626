// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "indexes.hpp"
#include "langgraph_tables.hpp"
#include "ledger.hpp"
#include "postgres/sql.hpp"
#include "setup.hpp"
#include "template.hpp"
#include "text.hpp"

namespace threadkeep::postgres {

namespace {

constexpr std::size_t longest_identifier = 63;

std::string quote_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

// Without the lines that are comments, and without the end of the last line.
std::string body(std::string_view sql) {
  std::string out;
  while (!sql.empty()) {
    const auto end = std::min(sql.find('\n'), sql.size() - 1) + 1;
    if (!sql.starts_with("--")) out += sql.substr(0, end);
    sql.remove_prefix(end);
  }
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

// A query without its semicolon, so that \gset or a bracket can end it.
std::string query(std::string_view sql) {
  std::string text = body(sql);
  text.pop_back();
  return text;
}

// The same with the schema in the place of its parameter.
std::string query_of_schema(std::string_view sql) {
  return fill(query(sql), {{"$1", ":'schema'"}});
}

// What is not text of this program.
std::string parameters(const std::optional<std::string>& schema, std::string_view grantee) {
  return "SELECT " + (schema ? quote_text(*schema) : "coalesce(current_schema(), 'public')") +
         " AS schema, " + quote_text(grantee) + " AS grantee \\gset";
}

std::string record(int version) {
  const Step& step = find_step(version);
  return fill(body(sql::script_record), {{"{record_begin}", body(record_begin(step))},
                                         {"{record_finish}", body(record_finish(step))},
                                         {"{version}", std::to_string(version)}});
}

std::string build(const IndexStep& index) {
  const Step& step = find_step(index.version);
  return fill(body(sql::script_index), {{"{record_begin}", body(record_begin(step))},
                                        {"{record_finish}", body(record_finish(step))},
                                        {"{record}", record(index.version)},
                                        {"{drop}", body(sql::setup_drop_index)},
                                        {"{create}", body(index.sql)},
                                        {"{concurrently}", "CONCURRENTLY"},
                                        {"{for_bytewise}", index.for_bytewise ? "true" : "false"},
                                        {"{index}", std::string(index.name)},
                                        {"{name}", std::string(index.name)},
                                        {"{shape}", quote_text(index.shape)},
                                        {"{version}", std::to_string(index.version)}});
}

std::string build_all() {
  std::string text;
  for (const IndexStep& index : indexes()) text += build(index) + '\n';
  return text;
}

std::string known_steps() {
  std::string rows;
  for (const Step& step : steps()) {
    rows += (rows.empty() ? "(" : ", (") + std::to_string(step.version) + ", '" +
            std::string(step.name) + "', '" + step.checksum + "')";
  }
  return rows;
}

std::string look() {
  return fill(query(sql::script_look), {{"{columns}", query_of_schema(sql::catalog_columns)}});
}

std::string find_index() {
  return fill(query(sql::script_find_index),
              {{"{catalog_indexes}", query_of_schema(sql::catalog_indexes)}});
}

std::string_view template_of(SetupRole role) {
  switch (role) {
    case SetupRole::owner:
      return sql::script_setup;
    case SetupRole::migrator:
      return sql::script_grant_migrator;
    case SetupRole::app:
      return sql::script_grant_app;
    case SetupRole::cron:
      return sql::script_grant_cron;
  }
  throw Error(Code::invalid_argument, "role is none that threadkeep knows");
}

void check_grantee(SetupRole role, std::string_view grantee) {
  if (role == SetupRole::owner) {
    if (grantee.empty()) return;
    throw Error(Code::invalid_argument, "grantee needs the role whose rights it gets");
  }
  const bool fits = !grantee.empty() && grantee.size() <= longest_identifier;
  if (fits && is_utf8(grantee) && grantee.find('\0') == std::string_view::npos) return;
  throw Error(Code::invalid_argument,
              "grantee must name a role of the server: UTF-8, 1 to 63 bytes");
}

}  // namespace

std::string setup_script(const std::optional<std::string>& schema, SetupRole role,
                         std::string_view grantee) {
  check_grantee(role, grantee);
  return fill(template_of(role), {{"{look}", look()},
                                  {"{find_index}", find_index()},
                                  {"{lock}", query_of_schema(sql::setup_lock)},
                                  {"{begin}", body(sql::setup_transaction)},
                                  {"{lock_timeout}", "2s"},
                                  {"{statement_timeout}", "30s"},
                                  {"{own_tables}", body(sql::setup_own_tables)},
                                  {"{langgraph_tables}", body(all_langgraph_tables())},
                                  {"{missing_tables}", body(missing_langgraph_tables())},
                                  {"{langgraph_blob}", body(sql::setup_langgraph_blob)},
                                  {"{langgraph_task_path}", body(sql::setup_langgraph_task_path)},
                                  {"{langgraph_record}", body(sql::setup_langgraph_record)},
                                  {"{session_tables}", body(sql::setup_session_tables)},
                                  {"{tombstone_times}", body(sql::setup_tombstone_times)},
                                  {"{record_1}", record(step::own_tables)},
                                  {"{record_6}", record(step::session_tables)},
                                  {"{record_7}", record(step::tombstone_times)},
                                  {"{record_2}", record(step::langgraph_tables)},
                                  {"{indexes}", build_all()},
                                  {"{store_version}", std::to_string(store_version)},
                                  {"{known_steps}", known_steps()},
                                  {"{tool_version}", THREADKEEP_VERSION},
                                  {"{schema}", ":\"schema\"."},
                                  {"{parameters}", parameters(schema, grantee)}});
}

}  // namespace threadkeep::postgres
