// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "threadkeep/testing/backend_spec.hpp"
#include "threadkeep/testing/postgres_server.hpp"

/// \file
/// Postgres stores for tests that run on every backend: each in a schema of its own, on the one
/// server of the program, which starts with the first of them.

namespace threadkeep::testing {

/// The tables as LangGraph's own saver leaves them: ids in the order of the database, an index on
/// thread_id for each.
inline constexpr char langgraph_tables[] = R"(
CREATE TABLE checkpoint_migrations (v integer PRIMARY KEY);
INSERT INTO checkpoint_migrations SELECT generate_series(0, 9);
CREATE TABLE checkpoints (
  thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL,
  parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL,
  metadata jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));
CREATE TABLE checkpoint_blobs (
  thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', channel text NOT NULL,
  version text NOT NULL, type text NOT NULL, blob bytea,
  PRIMARY KEY (thread_id, checkpoint_ns, channel, version));
CREATE TABLE checkpoint_writes (
  thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL,
  task_id text NOT NULL, idx integer NOT NULL, channel text NOT NULL, type text,
  blob bytea NOT NULL, task_path text NOT NULL DEFAULT '',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));
CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);
CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);
CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);
)";

/// A store in a schema that may be dropped when the store is gone.
class StoreInSchema {
 public:
  /// `to_url` makes the store's URL of the schema's name.
  StoreInSchema(PostgresSchemas& schemas, const std::function<std::string(std::string)>& to_url,
                const Environment& environment)
      : schemas_(schemas),
        schema_(schemas.take()),
        store_(std::make_unique<Store>(Registry::builtin().open(to_url(schema_), environment))) {}
  ~StoreInSchema() {
    store_.reset();
    schemas_.give_back(schema_);
  }
  StoreInSchema(const StoreInSchema&) = delete;
  StoreInSchema& operator=(const StoreInSchema&) = delete;

  Store* store() { return store_.get(); }

 private:
  PostgresSchemas& schemas_;
  std::string schema_;
  std::unique_ptr<Store> store_;
};

/// An empty database: everything is made by threadkeep.
inline PostgresSchemas& bytewise_schemas() {
  static PostgresSchemas schemas(PostgresServer::shared(), "store");
  return schemas;
}

/// A database of LangGraph's own, whose order of texts is not that of their bytes.
inline PostgresSchemas& icu_schemas() {
  static PostgresSchemas schemas(
      PostgresServer::shared(),
      PostgresServer::shared().create_database(PostgresServer::Locale::icu), langgraph_tables);
  return schemas;
}

inline BackendSpec postgres_backend(std::string name, PostgresSchemas& (*schemas)()) {
  return {std::move(name), [schemas](const Environment& environment) {
            const auto to_url = [&](const std::string& schema) { return schemas().url(schema); };
            auto kept = std::make_shared<StoreInSchema>(schemas(), to_url, environment);
            return std::shared_ptr<Store>(kept, kept->store());
          }};
}

}  // namespace threadkeep::testing
