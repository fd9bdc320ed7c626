// SPDX-License-Identifier: Apache-2.0
#include "table_database.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "settings.hpp"
#include "table_describe.hpp"
#include "table_snapshot.hpp"
#include "table_undo.hpp"
#include "table_writer.hpp"

namespace threadkeep::sqlite {

namespace {

class TableDatabase final : public tables::Database {
 public:
  explicit TableDatabase(Settings settings) : settings_(std::move(settings)) {}

  tables::DatabaseInfo info(const Call& call) override {
    Connection connection(settings_, Connection::Purpose::source, Connection::Missing::fail, call);
    Rows found = connection.query(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'threadkeep_threads')");
    found.next();
    return {.engine = "sqlite",
            .version = sqlite3_libversion(),
            .identity = identity(),
            .place = settings_.path,
            .has_store = found.integer(0) != 0};
  }

  tables::Schema describe(const Call& call) override {
    Connection connection(settings_, Connection::Purpose::source, Connection::Missing::fail, call);
    const Snapshot snapshot(connection);
    return sqlite::describe(connection);
  }

  std::unique_ptr<tables::Snapshot> snapshot(const Call& call) override {
    return open_snapshot(settings_, call);
  }

  std::unique_ptr<tables::Writer> writer(const Call& call) override {
    return open_writer(settings_, lock_, call);
  }

  std::unique_ptr<tables::RunUndo> undo(const std::string& run_id, const Call& call) override {
    return open_undo(settings_, lock_, run_id, call);
  }

  std::unique_ptr<tables::MigrationLock> lock(std::chrono::milliseconds patience,
                                              const tables::OnWaiting& waiting,
                                              const Call& call) override {
    return take_lock(settings_, lock_, patience, waiting, call);
  }

 private:
  std::string identity() const {
    struct stat status {};
    if (stat(settings_.path.c_str(), &status) != 0) {
      throw Error(Code::unavailable, "'" + settings_.path + "' is not there any more");
    }
    return "sqlite device " + std::to_string(status.st_dev) + " inode " +
           std::to_string(status.st_ino);
  }

  const Settings settings_;
  const std::shared_ptr<LockState> lock_ = std::make_shared<LockState>();
};

void check_is_file(const std::string& path) {
  std::error_code ignored;  // The opening of the file will say it.
  const auto type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::not_found) {
    throw Error(Code::unavailable, "there is no file '" + path + "'; check the path",
                tables::no_file);
  }
  if (type == std::filesystem::file_type::directory) {
    throw Error(Code::invalid_argument, "'" + path + "' is a directory; name a file in it");
  }
}

// An empty file is a database without tables to SQLite; only reading tells others.
void check_is_database(const Settings& settings, const Call& call) {
  Connection connection(settings, Connection::Purpose::source, Connection::Missing::fail, call);
  connection.query("SELECT count(*) FROM sqlite_schema").next();
}

}  // namespace

std::unique_ptr<tables::Database> open_tables(Url& url, const Call& call) {
  Settings settings = settings_of(url);
  check_is_file(settings.path);
  check_is_database(settings, call);
  return std::make_unique<TableDatabase>(std::move(settings));
}

}  // namespace threadkeep::sqlite
