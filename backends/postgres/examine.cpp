// SPDX-License-Identifier: Apache-2.0
#include "examine.hpp"

#include <string>

#include "findings.hpp"
#include "layout.hpp"
#include "postgres/sql.hpp"
#include "statement.hpp"

namespace threadkeep::postgres {

namespace {

// The columns of examine.sql.
enum Column { clock, safe_files, commit, read_only, greatest, used, denied, invalid, bloated };

Finding judge_setup(const Layout& layout) {
  if (layout.warnings.empty()) return good("setup", "the schema is as this version wants it");
  std::string all;
  for (const auto& text : layout.warnings) all += (all.empty() ? "" : "; ") + text;
  return warning("setup", all, "run `threadkeep setup`");
}

Finding judge_durability(const Result& row) {
  if (!row.boolean(0, safe_files)) {
    return problem("durability", "fsync or full_page_writes is off: a crash may destroy everything",
                   "switch both on in postgresql.conf");
  }
  const std::string level = row.text(0, commit);
  if (level == "off" || level == "local") {
    return warning("durability", "synchronous_commit is " + level + ": the last writes may be lost",
                   "set it to on for the role or the database");
  }
  return good("durability", "each write is on the disk when it returns");
}

Finding judge_rights(const Result& row) {
  if (row.boolean(0, read_only)) {
    return problem("rights", "the server or the session takes no writes",
                   "connect to the primary: target_session_attrs=read-write");
  }
  if (row.is_null(0, denied)) return good("rights", "the role may read and write all tables");
  return problem("rights", "the role may not read and write " + row.text(0, denied),
                 "let the owner run what `threadkeep setup --print-sql --role app` prints");
}

Finding judge_indexes(const Result& row) {
  if (row.is_null(0, invalid)) return good("indexes", "all are valid");
  return problem("indexes", "not finished or broken: " + row.text(0, invalid),
                 "run `threadkeep setup`; drop those that are not threadkeep's");
}

Finding judge_vacuum(const Result& row) {
  if (row.is_null(0, bloated)) return good("vacuum", "no table is mostly dead rows");
  return warning("vacuum", "mostly dead rows in " + row.text(0, bloated),
                 "run VACUUM on them and look for old transactions that hold it up");
}

}  // namespace

void examine(Connection& connection, std::size_t pool_size, const Environment& environment,
             const Call& call, std::vector<Finding>& findings) {
  const Layout layout = read_layout(connection, call);
  const Statement statement{std::string(sql::examine)};
  Parameters parameters;
  parameters.text(layout.schema);
  const auto before = environment.now();
  const Result row = connection.run(statement, std::move(parameters), Effect::none, call);
  const auto after = environment.now();
  findings.insert(findings.end(),
                  {judge_setup(layout), judge_rights(row), judge_durability(row),
                   judge_clock(before, row.timestamp(0, clock), after),
                   judge_connections(row.integer(0, used), row.integer(0, greatest), pool_size),
                   judge_indexes(row), judge_vacuum(row)});
}

}  // namespace threadkeep::postgres
