-- SPDX-License-Identifier: Apache-2.0
-- Step 2, where none of LangGraph's tables exists: those of its version 9, with ids in the order of
-- their bytes, and without its indexes on thread_id alone, which the primary keys make needless.

CREATE TABLE {schema}checkpoint_migrations (
  v integer PRIMARY KEY
);
INSERT INTO {schema}checkpoint_migrations (v) SELECT generate_series(0, 9);

CREATE TABLE {schema}checkpoints (
  thread_id            text COLLATE "C" NOT NULL,
  checkpoint_ns        text COLLATE "C" NOT NULL DEFAULT '',
  checkpoint_id        text COLLATE "C" NOT NULL,
  parent_checkpoint_id text COLLATE "C",
  type                 text,
  checkpoint           jsonb NOT NULL,
  metadata             jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);

CREATE TABLE {schema}checkpoint_blobs (
  thread_id     text COLLATE "C" NOT NULL,
  checkpoint_ns text COLLATE "C" NOT NULL DEFAULT '',
  channel       text COLLATE "C" NOT NULL,
  version       text COLLATE "C" NOT NULL,
  type          text NOT NULL,
  blob          bytea,
  PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);

CREATE TABLE {schema}checkpoint_writes (
  thread_id     text COLLATE "C" NOT NULL,
  checkpoint_ns text COLLATE "C" NOT NULL DEFAULT '',
  checkpoint_id text COLLATE "C" NOT NULL,
  task_id       text COLLATE "C" NOT NULL,
  idx           integer NOT NULL,
  channel       text COLLATE "C" NOT NULL,
  type          text,
  blob          bytea NOT NULL,
  task_path     text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
