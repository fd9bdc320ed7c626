-- What migrations into this file remember. A run without finished_at is gone on with. Times are
-- microseconds since 1970 UTC.
CREATE TABLE IF NOT EXISTS threadkeep_tier_runs (
  id TEXT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  plan_hash TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER
);
CREATE TABLE IF NOT EXISTS threadkeep_tier_tables (
  run_id TEXT NOT NULL REFERENCES threadkeep_tier_runs (id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  pass INTEGER NOT NULL,
  position TEXT NOT NULL,
  done INTEGER NOT NULL,
  inserted INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  PRIMARY KEY (run_id, table_name, pass)
) WITHOUT ROWID;
-- The keys of rows that were left out.
CREATE TABLE IF NOT EXISTS threadkeep_tier_rejects (
  run_id TEXT NOT NULL REFERENCES threadkeep_tier_runs (id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  key TEXT NOT NULL
);
-- Rows that were written by runs which note them: the key and the row as cursors write values.
CREATE TABLE IF NOT EXISTS threadkeep_tier_rows (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  table_name TEXT NOT NULL,
  key TEXT NOT NULL,
  inserted INTEGER NOT NULL,
  content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS threadkeep_tier_rows_run ON threadkeep_tier_rows (run_id, table_name);
