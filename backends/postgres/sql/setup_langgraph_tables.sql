-- SPDX-License-Identifier: Apache-2.0
-- Step 2: LangGraph's tables of its version 9, without its indexes on thread_id alone, which the
-- primary keys make needless. Where none of them exists ids are in the order of their bytes; what is
-- missing of older ones is made as LangGraph makes it. See langgraph_tables.hpp.

CREATE TABLE {if_missing}{schema}checkpoint_migrations (
  v integer PRIMARY KEY
);
INSERT INTO {schema}checkpoint_migrations (v) SELECT generate_series(0, 9){if_new};

CREATE TABLE {if_missing}{schema}checkpoints (
  thread_id            text{bytewise} NOT NULL,
  checkpoint_ns        text{bytewise} NOT NULL DEFAULT '',
  checkpoint_id        text{bytewise} NOT NULL,
  parent_checkpoint_id text{bytewise},
  type                 text,
  checkpoint           jsonb NOT NULL,
  metadata             jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);

CREATE TABLE {if_missing}{schema}checkpoint_blobs (
  thread_id     text{bytewise} NOT NULL,
  checkpoint_ns text{bytewise} NOT NULL DEFAULT '',
  channel       text{bytewise} NOT NULL,
  version       text{bytewise} NOT NULL,
  type          text NOT NULL,
  blob          bytea,
  PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);

CREATE TABLE {if_missing}{schema}checkpoint_writes (
  thread_id     text{bytewise} NOT NULL,
  checkpoint_ns text{bytewise} NOT NULL DEFAULT '',
  checkpoint_id text{bytewise} NOT NULL,
  task_id       text{bytewise} NOT NULL,
  idx           integer NOT NULL,
  channel       text{bytewise} NOT NULL,
  type          text,
  blob          bytea NOT NULL,
  task_path     text{bytewise} NOT NULL DEFAULT '',
  PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
