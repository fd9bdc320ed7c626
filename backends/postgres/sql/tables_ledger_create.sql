-- SPDX-License-Identifier: Apache-2.0
-- What migrations into this schema remember. A run without finished_at is gone on with.
CREATE TABLE IF NOT EXISTS {schema}.threadkeep_tier_runs (
  id text PRIMARY KEY,
  source text NOT NULL,
  plan_hash text NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE TABLE IF NOT EXISTS {schema}.threadkeep_tier_tables (
  run_id text NOT NULL REFERENCES {schema}.threadkeep_tier_runs (id) ON DELETE CASCADE,
  table_name text NOT NULL,
  pass integer NOT NULL,
  position text NOT NULL,
  done boolean NOT NULL,
  inserted bigint NOT NULL,
  updated bigint NOT NULL,
  unchanged bigint NOT NULL,
  kept bigint NOT NULL,
  rejected bigint NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, table_name, pass)
);
CREATE TABLE IF NOT EXISTS {schema}.threadkeep_tier_rejects (
  run_id text NOT NULL REFERENCES {schema}.threadkeep_tier_runs (id) ON DELETE CASCADE,
  table_name text NOT NULL,
  key text NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.threadkeep_tier_rows (
  run_id text NOT NULL,
  table_name text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  key text[] NOT NULL,
  inserted boolean NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (run_id, table_name, id)
);
COMMENT ON COLUMN {schema}.threadkeep_tier_rows.hash IS
  'SHA-256 of the text of the row as the run has written it';
