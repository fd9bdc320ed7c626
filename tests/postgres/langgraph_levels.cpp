// SPDX-License-Identifier: Apache-2.0
#include "langgraph_levels.hpp"

#include <array>

namespace threadkeep::postgres_test {

namespace {

// What each migration leaves behind; of the tables before 4 the oldest form that ever was.
constexpr std::array<const char*, 10> levels = {
    "CREATE TABLE checkpoint_migrations (v integer PRIMARY KEY);",
    "CREATE TABLE checkpoints (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '',"
    " checkpoint_id text NOT NULL, parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL,"
    " metadata jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (thread_id, checkpoint_ns, "
    "checkpoint_id));",
    "CREATE TABLE checkpoint_blobs (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT "
    "'',"
    " channel text NOT NULL, version text NOT NULL, type text NOT NULL, blob bytea NOT NULL,"
    " PRIMARY KEY (thread_id, checkpoint_ns, channel, version));",
    "CREATE TABLE checkpoint_writes (thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT "
    "'',"
    " checkpoint_id text NOT NULL, task_id text NOT NULL, idx integer NOT NULL,"
    " channel text NOT NULL, type text, blob bytea NOT NULL,"
    " PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));",
    "ALTER TABLE checkpoint_blobs ALTER COLUMN blob DROP NOT NULL;",
    "",
    "CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);",
    "CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);",
    "CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);",
    "ALTER TABLE checkpoint_writes ADD COLUMN task_path text NOT NULL DEFAULT '';",
};

}  // namespace

std::string langgraph_tables(int version) {
  std::string sql;
  for (int v = 0; v <= version; ++v)
    sql += std::string(levels.at(static_cast<std::size_t>(v))) + "\n";
  return sql + "INSERT INTO checkpoint_migrations SELECT generate_series(0, " +
         std::to_string(version) + ");\n";
}

}  // namespace threadkeep::postgres_test
