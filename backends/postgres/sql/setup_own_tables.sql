-- SPDX-License-Identifier: Apache-2.0
-- Step 1: the tables of threadkeep; docs/storage/postgres.md explains every column.

CREATE TABLE IF NOT EXISTS {schema}threadkeep_migrations (
  version       integer     PRIMARY KEY,
  name          text        NOT NULL,
  checksum      text        NOT NULL,
  oldest_reader integer     NOT NULL,
  tool_version  text        NOT NULL,
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_threads (
  thread_id  text COLLATE "C" PRIMARY KEY,
  created_at timestamptz,
  updated_at timestamptz NOT NULL,
  revision   bigint      NOT NULL DEFAULT 0,
  metadata   jsonb       NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_tombstones (
  thread_id     text COLLATE "C" PRIMARY KEY,
  checkpoint_id text COLLATE "C" NOT NULL
);
