// SPDX-License-Identifier: Apache-2.0
#include "setup.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "sqlite/schema_sql.hpp"
#include "threadkeep/absent_store.hpp"

namespace threadkeep::sqlite {

namespace {

using std::chrono::steady_clock;

struct Format {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::vector<std::string> tables;
};

std::int64_t number(Connection& connection, std::string_view sql) {
  Rows rows = connection.query(sql);
  rows.next();
  return rows.integer(0);
}

// In a transaction, for another process may be creating the tables. What a migration notes about
// itself may be there before the store is.
Format read_format(Connection& connection) {
  Format format;
  format.application = number(connection, "PRAGMA application_id");
  format.version = number(connection, "PRAGMA user_version");
  Rows rows = connection.query(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' "
      "AND name NOT GLOB 'threadkeep_tier_*' ORDER BY name");
  while (rows.next()) format.tables.push_back(rows.text(0));
  return format;
}

// Each brings a file from the format before it to the next. A new file takes all of them.
constexpr std::array steps = {schema_sql, sessions_sql, tombstones_sql};
static_assert(steps.size() == format_version);

bool is_empty(const Format& format) {
  return format.application == 0 && format.version == 0 && format.tables.empty();
}

bool is_older(const Format& format) {
  return format.application == application_id && format.version > 0 &&
         format.version < format_version;
}

bool has_to_change(const Format& format) {
  return is_empty(format) || is_older(format);
}

std::string describe_tables(const std::vector<std::string>& tables) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, tables.size()); ++i) {
    text += (i == 0 ? "" : ", ") + tables[i];
  }
  return text + (tables.size() > shown ? ", ..." : "");
}

[[noreturn]] void refuse_foreign(const Connection& connection, const Format& format) {
  const auto has = [&](std::string_view table) {
    return std::find(format.tables.begin(), format.tables.end(), table) != format.tables.end();
  };
  std::string message = "'" + connection.path() + "' holds a database of another program";
  if (has("checkpoints") && has("writes")) {
    message += ", it looks like one of LangGraph's own SQLite saver";
  } else if (!format.tables.empty()) {
    message += " (tables: " + describe_tables(format.tables) + ")";
  }
  throw Error(Code::unsupported, message + "; it was left as it is: name another file",
              absent_store);
}

void check_format(const Connection& connection, const Format& format) {
  if (format.application != application_id) refuse_foreign(connection, format);
  if (format.version > format_version) {
    throw Error(Code::unsupported,
                "'" + connection.path() + "' has format " + std::to_string(format.version) +
                    ", and this version of threadkeep knows up to " +
                    std::to_string(format_version) + "; use the newer threadkeep that wrote it");
  }
  if (format.version < 1) {
    throw Error(Code::corrupt, "'" + connection.path() + "' has format " +
                                   std::to_string(format.version) +
                                   ", which never existed; restore the file from a backup");
  }
}

void take_steps(Connection& connection, std::int64_t from) {
  for (auto step = static_cast<std::size_t>(from); step < steps.size(); ++step) {
    connection.run_script(steps[step]);
  }
  connection.run_script(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  connection.run_script(("PRAGMA user_version = " + std::to_string(format_version)).c_str());
}

Format read_format_alone(Connection& connection) {
  const Snapshot snapshot(connection);
  return read_format(connection);
}

void use_write_ahead_log(Connection& connection) {
  Rows rows = connection.query("PRAGMA journal_mode = WAL");
  rows.next();
  if (rows.view(0) == "wal") return;
  throw Error(Code::unsupported, "'" + connection.path() +
                                     "' is on a file system without shared memory, which several "
                                     "processes need; keep the file on a local disk");
}

[[noreturn]] void refuse_absent(const std::string& path) {
  throw Error(Code::unavailable,
              "there is no store in '" + path +
                  "'; check the path, or make a store there by `threadkeep setup`",
              absent_store);
}

void try_set_up(Connection& connection, FirstUse first_use) {
  Format format = read_format_alone(connection);
  if (is_empty(format)) {
    if (first_use == FirstUse::refuses) refuse_absent(connection.path());
    // Heeded when the first page is written. On a file that has one this would be a write.
    connection.run_script("PRAGMA auto_vacuum = INCREMENTAL");
  }
  if (has_to_change(format)) {
    connection.begin_write();
    format = read_format(connection);
    if (has_to_change(format)) {
      take_steps(connection, format.version);
      format = read_format(connection);
    }
    connection.commit();
  }
  check_format(connection, format);
  use_write_ahead_log(connection);
}

bool is_lock_trouble(const Error& error) {
  return error.code() == Code::unavailable && error.native().starts_with("SQLITE_BUSY");
}

}  // namespace

void check_file_exists(const std::string& path) {
  std::error_code ignored;  // The opening of the file will say it.
  if (std::filesystem::status(path, ignored).type() == std::filesystem::file_type::not_found) {
    refuse_absent(path);
  }
}

// The change to WAL reports a busy file at once, without the waiting that other statements do, so
// the waiting is done here.
void set_up(Connection& connection, FirstUse first_use, std::chrono::milliseconds busy,
            const Call& call) {
  const auto give_up = std::min(steady_clock::now() + busy, call.deadline.at());
  for (;;) {
    try {
      return try_set_up(connection, first_use);
    } catch (const Error& error) {
      connection.rollback();
      if (!is_lock_trouble(error) || steady_clock::now() >= give_up) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace threadkeep::sqlite
