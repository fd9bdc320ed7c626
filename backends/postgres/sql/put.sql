-- SPDX-License-Identifier: Apache-2.0
-- One checkpoint with its blobs and its thread. `verdict` says what becomes of it: 'store', 'equal'
-- (stored already), or a conflict, with which nothing is written.
WITH verdict AS MATERIALIZED (
  SELECT CASE
{cases}    ELSE 'store'
  END AS verdict
),
checkpoint AS (
  INSERT INTO {schema}checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
  SELECT $1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::jsonb
  WHERE (SELECT verdict FROM verdict) = 'store'
  ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET
    parent_checkpoint_id = excluded.parent_checkpoint_id,
    checkpoint = excluded.checkpoint,
    metadata = excluded.metadata
),
-- Touched only when stale: an update takes a lock that all writers of the thread would wait for.
-- A thread that has checkpoints already was begun by another program, nobody knows when.
thread AS (
  INSERT INTO {schema}threadkeep_threads AS thread (thread_id, created_at, updated_at)
  SELECT
    $1::text,
    CASE
      WHEN NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text)
      THEN $7::timestamptz
    END,
    $7::timestamptz
  WHERE (SELECT verdict FROM verdict) IN ('store', 'equal')
    AND NOT EXISTS (
      SELECT FROM {schema}threadkeep_threads
      WHERE thread_id = $1::text AND updated_at > $8::timestamptz
    )
  ON CONFLICT (thread_id) DO UPDATE SET updated_at = excluded.updated_at
  WHERE thread.updated_at <= $8::timestamptz
),
blob AS (
  INSERT INTO {schema}checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
  SELECT $1::text, $2::text, channel, version, type, blob
  FROM ({rows}) AS given (channel, version, type, blob)
  WHERE (SELECT verdict FROM verdict) IN ('store', 'equal')
  ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
  RETURNING 1
)
SELECT verdict, (SELECT count(*) FROM blob) FROM verdict
