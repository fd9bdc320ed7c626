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
