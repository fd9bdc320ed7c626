-- SPDX-License-Identifier: Apache-2.0
-- What retention keeps beside the threads; docs/storage/sqlite.md explains every column. Made by
-- `threadkeep retention install`, in one transaction. Times are microseconds since 1970 UTC.

CREATE TABLE IF NOT EXISTS threadkeep_modules (
  name    TEXT    NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT;

-- One row at most: all policies, in their order.
CREATE TABLE IF NOT EXISTS threadkeep_retention_policies (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  policies TEXT    NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS threadkeep_retention_marks (
  thread_id TEXT NOT NULL,
  kind      TEXT NOT NULL CHECK (kind IN ('pin', 'hold')),
  name      TEXT NOT NULL,
  PRIMARY KEY (thread_id, kind, name)
) STRICT;

CREATE TABLE IF NOT EXISTS threadkeep_retention_expiry (
  thread_id  TEXT    NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT;

-- The newest run is the lease while it is 'running'.
CREATE TABLE IF NOT EXISTS threadkeep_retention_runs (
  run_id       INTEGER NOT NULL PRIMARY KEY,
  kind         TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  who          TEXT    NOT NULL,
  started_at   INTEGER NOT NULL,
  alive_until  INTEGER NOT NULL,
  finished_at  INTEGER,
  after_thread TEXT    NOT NULL,
  threads      INTEGER NOT NULL,
  checkpoints  INTEGER NOT NULL,
  writes       INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  error        TEXT    NOT NULL,
  busy         INTEGER NOT NULL DEFAULT 0,
  tombstones   INTEGER NOT NULL DEFAULT 0,
  notes        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS threadkeep_retention_audit (
  audit_id    INTEGER NOT NULL PRIMARY KEY,
  at          INTEGER NOT NULL,
  who         TEXT    NOT NULL,
  run_id      INTEGER NOT NULL,
  action      TEXT    NOT NULL,
  policy      TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  thread_id   TEXT    NOT NULL,
  threads     INTEGER NOT NULL,
  checkpoints INTEGER NOT NULL,
  writes      INTEGER NOT NULL,
  blobs       INTEGER NOT NULL,
  bytes       INTEGER NOT NULL
) STRICT;
