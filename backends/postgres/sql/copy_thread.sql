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
    THEN 'checkpoints'
    -- What the target had once counts too: its seqs are not to come again.
    WHEN EXISTS (SELECT FROM {schema}threadkeep_streams WHERE thread_id = $2::text)
      AND EXISTS (
        SELECT FROM (
          SELECT stream, seq, id, 1 AS side
          FROM {schema}threadkeep_messages WHERE thread_id = $1::text
          UNION ALL
          SELECT stream, seq, id, 2 FROM {schema}threadkeep_messages WHERE thread_id = $2::text
        ) AS message
        GROUP BY stream, seq, id
        HAVING min(side) = max(side)
      )
    THEN 'messages'
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
message AS (
  INSERT INTO {schema}threadkeep_messages
    (thread_id, stream, seq, id, role, created_at, version, metadata, content)
  SELECT $2::text, stream, seq, id, role, created_at, version, metadata, content
  FROM {schema}threadkeep_messages
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, stream, seq) DO NOTHING
  RETURNING 1
),
stream AS (
  INSERT INTO {schema}threadkeep_streams AS stream (thread_id, stream, last_seq)
  SELECT $2::text, stream, last_seq FROM {schema}threadkeep_streams
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, stream) DO UPDATE SET last_seq = excluded.last_seq
  WHERE stream.last_seq < excluded.last_seq
),
document AS (
  INSERT INTO {schema}threadkeep_state (thread_id, key, version, value_hash, value)
  SELECT $2::text, key, version, value_hash, value FROM {schema}threadkeep_state
  WHERE thread_id = $1::text AND (SELECT verdict FROM verdict) = 'copy'
  ON CONFLICT (thread_id, key) DO NOTHING
  RETURNING 1
),
-- What is `counted` changes the revision, as it does where it is written.
copied AS MATERIALIZED (
  SELECT
    (SELECT count(*) FROM checkpoint) AS checkpoints,
    (SELECT count(*) FROM message) + (SELECT count(*) FROM document) AS counted
),
-- A new thread gets the metadata of its source. See put.sql for the times.
thread AS (
  INSERT INTO {schema}threadkeep_threads AS thread
    (thread_id, created_at, updated_at, revision, metadata)
  SELECT
    $2::text,
    CASE
      WHEN NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $2::text)
      THEN $3::timestamptz
    END,
    $3::timestamptz,
    (SELECT least(counted, 1) FROM copied),
    coalesce((SELECT metadata FROM {schema}threadkeep_threads WHERE thread_id = $1::text), '{}')
  WHERE (SELECT verdict FROM verdict) = 'copy'
    AND (
      (SELECT checkpoints + counted FROM copied) > 0
      OR (
        EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $1::text)
        AND NOT EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $2::text)
      )
    )
  ON CONFLICT (thread_id) DO UPDATE SET
    updated_at = CASE
      WHEN thread.updated_at <= $4::timestamptz THEN excluded.updated_at
      ELSE thread.updated_at
    END,
    revision = thread.revision + excluded.revision
  WHERE thread.updated_at <= $4::timestamptz OR excluded.revision > 0
)
SELECT
  verdict,
  (SELECT checkpoints + counted FROM copied),
  (SELECT count(*) FROM {schema}checkpoints WHERE thread_id = $1::text)
    + (SELECT count(*) FROM {schema}threadkeep_messages WHERE thread_id = $1::text)
    + (SELECT count(*) FROM {schema}threadkeep_state WHERE thread_id = $1::text)
FROM verdict
