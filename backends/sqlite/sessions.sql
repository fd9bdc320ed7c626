-- SPDX-License-Identifier: Apache-2.0
-- Format 2 of a threadkeep SQLite file: messages and state. Runs once, in one transaction, on a file
-- of format 1.

CREATE TABLE threadkeep_streams (
  thread_id TEXT    NOT NULL,
  stream    TEXT    NOT NULL,
  last_seq  INTEGER NOT NULL,
  PRIMARY KEY (thread_id, stream)
) STRICT;

-- Large columns come last, so that what a filter looks at is read without them.
CREATE TABLE threadkeep_messages (
  thread_id  TEXT    NOT NULL,
  stream     TEXT    NOT NULL,
  seq        INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  role       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  metadata   TEXT    NOT NULL,
  content    TEXT    NOT NULL,
  PRIMARY KEY (thread_id, stream, seq)
) STRICT;

CREATE UNIQUE INDEX threadkeep_messages_id ON threadkeep_messages (thread_id, id);

-- Of a thread (scope is '') or of a named scope (thread_id is ''): neither can be empty itself.
CREATE TABLE threadkeep_state (
  thread_id TEXT    NOT NULL,
  scope     TEXT    NOT NULL,
  key       TEXT    NOT NULL,
  version   INTEGER NOT NULL,
  value     TEXT    NOT NULL,
  PRIMARY KEY (thread_id, scope, key)
) STRICT;

CREATE TABLE threadkeep_operations (
  thread_id    TEXT    NOT NULL,
  operation_id TEXT    NOT NULL,
  fingerprint  INTEGER NOT NULL,
  revision     INTEGER NOT NULL,
  result       TEXT    NOT NULL,
  PRIMARY KEY (thread_id, operation_id)
) STRICT;

CREATE INDEX threadkeep_operations_revision ON threadkeep_operations (thread_id, revision);
