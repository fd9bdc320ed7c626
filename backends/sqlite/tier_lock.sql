-- At most one row: who may write into this file as a migration. Times are microseconds since 1970
-- UTC. Each holder has a greater fence than those before it.
CREATE TABLE IF NOT EXISTS threadkeep_tier_lock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  owner TEXT NOT NULL,
  description TEXT NOT NULL,
  fence INTEGER NOT NULL,
  taken_at INTEGER NOT NULL,
  heartbeat INTEGER NOT NULL
);
