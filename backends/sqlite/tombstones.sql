-- SPDX-License-Identifier: Apache-2.0
-- Format 3 of a threadkeep SQLite file: when something was deleted from a thread for the last time.
-- Runs once, in one transaction, on a file of format 2. Tombstones that are there count from now on.

ALTER TABLE threadkeep_tombstones ADD COLUMN deleted_at INTEGER NOT NULL DEFAULT 0;

UPDATE threadkeep_tombstones
SET deleted_at = CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER);

CREATE INDEX threadkeep_tombstones_deleted_at ON threadkeep_tombstones (deleted_at);
