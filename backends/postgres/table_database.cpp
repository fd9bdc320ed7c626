// SPDX-License-Identifier: Apache-2.0
#include "table_database.hpp"

#include <string>
#include <utility>

#include "connection.hpp"
#include "postgres/sql.hpp"
#include "settings.hpp"
#include "table_describe.hpp"
#include "table_lock.hpp"
#include "table_session.hpp"
#include "table_snapshot.hpp"
#include "table_writer.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::DatabaseInfo;
using tables::VectorSupport;

VectorSupport vectors_of(const Result& answer) {
  if (answer.boolean(0, 3)) return VectorSupport::installed;
  if (!answer.boolean(0, 4)) return VectorSupport::no_library;
  return answer.boolean(0, 5) ? VectorSupport::available : VectorSupport::no_permission;
}

// Where the role may not see the number of the cluster, the moment of its start tells it from
// others that run.
std::string cluster_of(Connection& connection, const Result& answer, const Call& call) {
  try {
    return run_once(connection, "SELECT system_identifier::text FROM pg_control_system()", call)
        .text(0, 0);
  } catch (const Error& error) {
    if (connection.broken() || error.native().empty()) throw;
    return "started " + answer.text(0, 7);
  }
}

class TableDatabase final : public tables::Database {
 public:
  explicit TableDatabase(Settings settings) : settings_(std::move(settings)) {}

  DatabaseInfo info(const Call& call) override {
    const auto connection = connect(call);
    const Result answer = run_once(*connection, std::string(sql::tables_info), call);
    DatabaseInfo info;
    info.engine = answer.boolean(0, 0) ? "pglite" : "postgres";
    info.version = answer.text(0, 1);
    info.identity = "postgres " + cluster_of(*connection, answer, call) + "/" + answer.text(0, 6) +
                    "/" + connection->schema();
    info.place = settings_.place;
    info.vectors = vectors_of(answer);
    info.in_recovery = answer.boolean(0, 2);
    return info;
  }

  tables::Schema describe(const Call& call) override {
    return describe_tables(*connect(call), call);
  }

  std::unique_ptr<tables::Snapshot> snapshot(const Call& call) override {
    return std::make_unique<TableSnapshot>(connect(call), call);
  }

  std::unique_ptr<tables::Writer> writer(const Call& call) override {
    return std::make_unique<TableWriter>(connect(call));
  }

  std::unique_ptr<tables::MigrationLock> lock(
      std::chrono::milliseconds patience,
      const std::function<void(const tables::LockHolder&)>& waiting, const Call& call) override {
    return std::make_unique<TableLock>(connect(call), patience, waiting, call);
  }

 private:
  std::unique_ptr<Connection> connect(const Call& call) const {
    return open_table_session(settings_, call);
  }

  const Settings settings_;
};

}  // namespace

std::unique_ptr<tables::Database> open_tables(Url url, const Call& call) {
  Settings settings = read_settings(url);
  open_table_session(settings, call);
  return std::make_unique<TableDatabase>(std::move(settings));
}

}  // namespace threadkeep::postgres
