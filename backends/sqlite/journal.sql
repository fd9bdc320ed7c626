-- SPDX-License-Identifier: Apache-2.0
-- Writes that wait for another store; docs/storage/sqlite.md explains every column. Made by the
-- first process that uses the file as a journal. Times are microseconds since 1970 UTC.

CREATE TABLE IF NOT EXISTS threadkeep_journal (
  seq  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  lane TEXT    NOT NULL,
  kind TEXT    NOT NULL,
  body BLOB    NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS threadkeep_journal_set_aside (
  seq    INTEGER NOT NULL PRIMARY KEY,
  lane   TEXT    NOT NULL,
  kind   TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  body   BLOB    NOT NULL
) STRICT;

-- One row: the process that took the journal last.
CREATE TABLE IF NOT EXISTS threadkeep_journal_holder (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  holder   TEXT    NOT NULL,
  taken_at INTEGER NOT NULL
) STRICT;
