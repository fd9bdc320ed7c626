-- SPDX-License-Identifier: Apache-2.0
-- Step 6: the tables of messages and state. Their rows go with the row of their thread, also when a
-- program deletes it that does not know them.

CREATE TABLE IF NOT EXISTS {schema}threadkeep_streams (
  thread_id text COLLATE "C" REFERENCES {schema}threadkeep_threads ON DELETE CASCADE,
  stream    text COLLATE "C",
  last_seq  bigint NOT NULL,
  PRIMARY KEY (thread_id, stream)
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_messages (
  thread_id  text COLLATE "C" REFERENCES {schema}threadkeep_threads ON DELETE CASCADE,
  stream     text COLLATE "C",
  seq        bigint,
  id         text COLLATE "C" NOT NULL,
  role       text COLLATE "C" NOT NULL,
  created_at timestamptz      NOT NULL,
  version    bigint           NOT NULL,
  metadata   text COLLATE "C" NOT NULL,
  content    text COLLATE "C" NOT NULL,
  PRIMARY KEY (thread_id, stream, seq),
  CONSTRAINT threadkeep_messages_id UNIQUE (thread_id, id)
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_state (
  thread_id  text COLLATE "C" REFERENCES {schema}threadkeep_threads ON DELETE CASCADE,
  key        text COLLATE "C",
  version    bigint           NOT NULL,
  value_hash bigint           NOT NULL,
  value      text COLLATE "C" NOT NULL,
  PRIMARY KEY (thread_id, key)
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_scopes (
  scope      text COLLATE "C",
  key        text COLLATE "C",
  version    bigint           NOT NULL,
  value_hash bigint           NOT NULL,
  value      text COLLATE "C" NOT NULL,
  PRIMARY KEY (scope, key)
);

CREATE TABLE IF NOT EXISTS {schema}threadkeep_operations (
  thread_id    text COLLATE "C" REFERENCES {schema}threadkeep_threads ON DELETE CASCADE,
  operation_id text COLLATE "C",
  fingerprint  bigint           NOT NULL,
  revision     bigint           NOT NULL,
  result       text COLLATE "C" NOT NULL,
  PRIMARY KEY (thread_id, operation_id)
);

CREATE INDEX IF NOT EXISTS threadkeep_operations_revision
  ON {schema}threadkeep_operations (thread_id, revision);
