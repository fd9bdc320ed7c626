-- SPDX-License-Identifier: Apache-2.0
-- Format 1 of a threadkeep SQLite file; docs/storage/sqlite.md explains every column.
-- Runs once, in one transaction, on an empty file. Text is compared bytewise (BINARY). Tables have
-- rowids because payloads are large: the keys stay in small indexes.

CREATE TABLE threadkeep_threads (
  thread_id  TEXT    NOT NULL PRIMARY KEY,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revision   INTEGER NOT NULL DEFAULT 0,
  metadata   TEXT    NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE threadkeep_tombstones (
  thread_id     TEXT NOT NULL PRIMARY KEY,
  checkpoint_id TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoints (
  thread_id            TEXT NOT NULL,
  checkpoint_ns        TEXT NOT NULL DEFAULT '',
  checkpoint_id        TEXT NOT NULL,
  parent_checkpoint_id TEXT,
  run_id               TEXT,
  metadata             TEXT NOT NULL DEFAULT '{}',
  checkpoint           TEXT NOT NULL,
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
) STRICT;

-- A column and not an expression over the metadata: of duplicate JSON keys the last one counts,
-- and SQLite's JSON functions take the first.
CREATE INDEX checkpoints_run_id ON checkpoints (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE checkpoint_blobs (
  thread_id     TEXT NOT NULL,
  checkpoint_ns TEXT NOT NULL DEFAULT '',
  channel       TEXT NOT NULL,
  version       TEXT NOT NULL,
  type          TEXT NOT NULL,
  blob          BLOB NOT NULL,
  PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
) STRICT;

CREATE TABLE checkpoint_writes (
  thread_id     TEXT    NOT NULL,
  checkpoint_ns TEXT    NOT NULL DEFAULT '',
  checkpoint_id TEXT    NOT NULL,
  task_id       TEXT    NOT NULL,
  idx           INTEGER NOT NULL,
  channel       TEXT    NOT NULL,
  type          TEXT    NOT NULL,
  task_path     TEXT    NOT NULL DEFAULT '',
  blob          BLOB    NOT NULL,
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
) STRICT;
