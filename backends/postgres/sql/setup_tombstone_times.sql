-- SPDX-License-Identifier: Apache-2.0
-- Step 7: when something was deleted from a thread for the last time, by which old tombstones go.
-- Those that are there count from now on.

ALTER TABLE {schema}threadkeep_tombstones
  ADD COLUMN IF NOT EXISTS deleted_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX IF NOT EXISTS threadkeep_tombstones_deleted_at
  ON {schema}threadkeep_tombstones (deleted_at);
