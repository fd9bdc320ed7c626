// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep {

constexpr int interrupted = 3;
constexpr int source_failed = 4;
constexpr int differs = 5;

// In the order of names, without those that stay behind.
inline const std::vector<std::string>& copied_tables() {
  static const std::vector<std::string> all = {
      "agent_logs", "agents",       "appreciations", "conversations", "events",        "insights",
      "messages",   "missions",     "preferences",   "projects",      "routing_rules", "skills",
      "tasks",      "team_members", "teams",         "tickets",       "users"};
  return all;
}

inline std::string text_of(const char* file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// An application in one database, and its empty tables in another.
class Migrate : public Cli {
 protected:
  Migrate() {
    sql(source, text_of(APPLICATION_SQL));
    sql(source, text_of(ROWS_SQL));
    sql(target, text_of(APPLICATION_SQL));
  }

  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }
  static std::string sql(const std::string& database, const std::string& text) {
    return server().run("SET ROLE threadkeep;\n" + text, database);
  }

  // All rows of the tables that are copied, in one hash for each.
  static std::string contents(const std::string& database) {
    std::string text;
    for (const auto& table : copied_tables()) {
      text += "SELECT '" + table +
              "', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM " + table + " t;\n";
    }
    return sql(database, text);
  }

  Arguments arguments(const Arguments& more) const {
    Arguments all = {"migrate-tier", "--from",       server().url(source), "--to",
                     "standalone",   "--target-url", server().url(target)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string migrate(const Arguments& more, int status = done) const {
    return run(arguments(more), status);
  }
  // As above, with another source or target.
  Arguments from(const std::string& place, Arguments command) const {
    command[2] = place;
    return command;
  }
  Arguments to(const std::string& place, Arguments command) const {
    command[6] = place;
    return command;
  }
  std::string in_directory(const std::string& name) const { return directory.path() / name; }
  // Whole numbers of rows in all copied tables, and in our own.
  static std::string own_tables(const std::string& database) {
    return sql(database, "SELECT count(*) FROM pg_class WHERE relname LIKE 'threadkeep%'");
  }

  const std::string source = server().create_database();
  const std::string target = server().create_database();
};

}  // namespace threadkeep
