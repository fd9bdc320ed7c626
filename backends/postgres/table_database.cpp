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
#include "table_undo.hpp"
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
  explicit TableDatabase(std::shared_ptr<TableSessions> sessions)
      : sessions_(std::move(sessions)) {}

  DatabaseInfo info(const Call& call) override {
    auto connection = sessions_->take(call);
    Parameters parameters;
    parameters.text(connection->schema());
    const Result answer =
        run_once(*connection, std::string(sql::tables_info), std::move(parameters), call);
    DatabaseInfo info;
    info.engine = answer.boolean(0, 0) ? "pglite" : "postgres";
    info.version = answer.text(0, 1);
    info.identity = "postgres " + cluster_of(*connection, answer, call) + "/" + answer.text(0, 6) +
                    "/" + connection->schema();
    info.place = sessions_->settings().place;
    info.vectors = vectors_of(answer);
    info.in_recovery = answer.boolean(0, 2);
    info.has_store = answer.boolean(0, 8);
    sessions_->give_back(std::move(connection));
    return info;
  }

  tables::Schema describe(const Call& call) override {
    auto connection = sessions_->take(call);
    auto schema = describe_tables(*connection, call);
    sessions_->give_back(std::move(connection));
    return schema;
  }

  std::unique_ptr<tables::Snapshot> snapshot(const Call& call) override {
    return std::make_unique<TableSnapshot>(sessions_, call);
  }

  std::unique_ptr<tables::Writer> writer(const Call& call) override {
    return std::make_unique<TableWriter>(sessions_->take(call));
  }

  std::unique_ptr<tables::RunUndo> undo(const std::string& run_id, const Call& call) override {
    return std::make_unique<TableUndo>(sessions_->take(call), run_id, call);
  }

  std::unique_ptr<tables::MigrationLock> lock(std::chrono::milliseconds patience,
                                              const tables::OnWaiting& waiting,
                                              const Call& call) override {
    return std::make_unique<TableLock>(sessions_->take(call), patience, waiting, call);
  }

 private:
  const std::shared_ptr<TableSessions> sessions_;
};

}  // namespace

std::unique_ptr<tables::Database> open_tables(Url url, const Call& call) {
  auto sessions = std::make_shared<TableSessions>(read_settings(url));
  sessions->give_back(sessions->take(call));
  return std::make_unique<TableDatabase>(std::move(sessions));
}

}  // namespace threadkeep::postgres
