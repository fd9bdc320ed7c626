-- SPDX-License-Identifier: Apache-2.0
-- Copies thread $1 to $2, unless one is absent or the other in the way. What the target has stays.
WITH verdict AS MATERIALIZED (
  SELECT CASE
    WHEN NOT EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $1::text)
      AND NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text)
      AND NOT EXISTS (SELECT FROM {schema}checkpoint_writes WHERE thread_id = $1::text)
    THEN 'absent'
    WHEN $1::text = $2::text
    THEN 'same'
    WHEN EXISTS (
      SELECT FROM {schema}checkpoints AS target
      WHERE target.thread_id = $2::text
        AND NOT EXISTS (
          SELECT FROM {schema}checkpoints AS source
          WHERE source.thread_id = $1::text
            AND source.checkpoint_ns = target.checkpoint_ns
            AND source.checkpoint_id = target.checkpoint_id
        )
    )
    THEN 'conflict'
    ELSE 'copy'
  END AS verdict
),
checkpoint AS (
  INSERT INTO {schema}checkpoints (
    thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
  )
  SELECT
    $2::text, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
  FROM {schema}checkpoints
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO NOTHING
  RETURNING 1
),
blob AS (
  INSERT INTO {schema}checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
  SELECT $2::text, checkpoint_ns, channel, version, type, blob
  FROM {schema}checkpoint_blobs
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
),
write AS (
  INSERT INTO {schema}checkpoint_writes (
    thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, task_path, type, blob
  )
  SELECT $2::text, checkpoint_ns, checkpoint_id, task_id, idx, channel, task_path, type, blob
  FROM {schema}checkpoint_writes
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO NOTHING
),
copied AS MATERIALIZED (
  SELECT count(*) AS checkpoints FROM checkpoint
),
-- A new thread gets the metadata of its source. See put.sql for the times.
thread AS (
  INSERT INTO {schema}threadkeep_threads AS thread (thread_id, created_at, updated_at, metadata)
  SELECT
    $2::text,
    CASE
      WHEN NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $2::text)
      THEN $3::timestamptz
    END,
    $3::timestamptz,
    coalesce((SELECT metadata FROM {schema}threadkeep_threads WHERE thread_id = $1::text), '{}')
  WHERE (SELECT verdict FROM verdict) = 'copy'
    AND (
      (SELECT checkpoints FROM copied) > 0
      OR (
        EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $1::text)
        AND NOT EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $2::text)
      )
    )
  ON CONFLICT (thread_id) DO UPDATE SET updated_at = excluded.updated_at
  WHERE thread.updated_at <= $4::timestamptz
)
SELECT
  verdict,
  (SELECT checkpoints FROM copied),
  (SELECT count(*) FROM {schema}checkpoints WHERE thread_id = $1::text)
FROM verdict
