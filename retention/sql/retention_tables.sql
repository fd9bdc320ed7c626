-- SPDX-License-Identifier: Apache-2.0
-- What retention keeps beside the threads; docs/operation/retention.md explains every column. Who
-- comes second waits here: two sessions cannot replace one function at once.
SELECT pg_advisory_xact_lock(hashtextextended('threadkeep retention install', 0));

CREATE TABLE IF NOT EXISTS {schema}threadkeep_modules (
  name         text        PRIMARY KEY,
  version      integer     NOT NULL,
  tool_version text        NOT NULL,
  installed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_policies (
  position   integer     PRIMARY KEY,
  policy     jsonb       NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  applied_by text        NOT NULL DEFAULT session_user
);

-- 'archive' is 'required' where nothing may go that was not archived before. 'tombstones' and 'audit'
-- are for how long these stay, where that is not the default.
CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_settings (
  name   text        PRIMARY KEY,
  value  text        NOT NULL,
  set_at timestamptz NOT NULL DEFAULT now(),
  set_by text        NOT NULL DEFAULT session_user
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_marks (
  thread_id text COLLATE "C" NOT NULL,
  kind      text             NOT NULL CHECK (kind IN ('pin', 'hold')),
  name      text             NOT NULL,
  set_at    timestamptz      NOT NULL DEFAULT now(),
  set_by    text             NOT NULL DEFAULT session_user,
  PRIMARY KEY (thread_id, kind, name)
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_expiry (
  thread_id  text COLLATE "C" PRIMARY KEY,
  expires_at timestamptz NOT NULL,
  set_at     timestamptz NOT NULL DEFAULT now(),
  set_by     text        NOT NULL DEFAULT session_user
);

-- A run that is 'running' is the lease: its row is locked while a batch works.
CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_runs (
  run_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         text        NOT NULL,
  state        text        NOT NULL DEFAULT 'running',
  who          text        NOT NULL DEFAULT session_user,
  pid          integer     NOT NULL DEFAULT pg_backend_pid(),
  started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  alive_until  timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 minute',
  finished_at  timestamptz,
  phase        integer     NOT NULL DEFAULT 0,
  after_thread text COLLATE "C",
  threads      bigint      NOT NULL DEFAULT 0,
  checkpoints  bigint      NOT NULL DEFAULT 0,
  writes       bigint      NOT NULL DEFAULT 0,
  blobs        bigint      NOT NULL DEFAULT 0,
  bytes        bigint      NOT NULL DEFAULT 0,
  busy         bigint      NOT NULL DEFAULT 0,
  collected    bigint      NOT NULL DEFAULT 0,
  error        text
);
ALTER TABLE {schema}threadkeep_retention_runs
  ADD COLUMN IF NOT EXISTS after_time timestamptz,
  ADD COLUMN IF NOT EXISTS tombstones bigint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS notes      bigint NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_audit (
  audit_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  who         text        NOT NULL DEFAULT session_user,
  run_id      bigint,
  action      text        NOT NULL,
  policy      text,
  reason      text,
  thread_id   text COLLATE "C",
  threads     bigint      NOT NULL DEFAULT 0,
  checkpoints bigint      NOT NULL DEFAULT 0,
  writes      bigint      NOT NULL DEFAULT 0,
  blobs       bigint      NOT NULL DEFAULT 0,
  bytes       bigint      NOT NULL DEFAULT 0
);

-- Blobs to be collected when the grace is over: an array of [channel, version].
CREATE TABLE IF NOT EXISTS {schema}threadkeep_retention_garbage (
  thread_id     text COLLATE "C" NOT NULL,
  checkpoint_ns text COLLATE "C" NOT NULL,
  removed_at    timestamptz      NOT NULL,
  blobs         jsonb            NOT NULL,
  PRIMARY KEY (thread_id, checkpoint_ns, removed_at)
);
CREATE INDEX IF NOT EXISTS threadkeep_retention_garbage_removed_at
  ON {schema}threadkeep_retention_garbage (removed_at);
