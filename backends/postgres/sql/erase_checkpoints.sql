-- SPDX-License-Identifier: Apache-2.0
-- Takes checkpoints and their writes away and leaves tombstones; the blobs go later.
WITH doomed AS MATERIALIZED (
  SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[])
    AS doomed (thread_id, checkpoint_ns, checkpoint_id)
),
checkpoint AS (
  DELETE FROM {schema}checkpoints AS checkpoint
  USING doomed
  WHERE checkpoint.thread_id = doomed.thread_id
    AND checkpoint.checkpoint_ns = doomed.checkpoint_ns
    AND checkpoint.checkpoint_id = doomed.checkpoint_id
  RETURNING checkpoint.thread_id, checkpoint.checkpoint_id
),
write AS (
  DELETE FROM {schema}checkpoint_writes AS write
  USING doomed
  WHERE write.thread_id = doomed.thread_id
    AND write.checkpoint_ns = doomed.checkpoint_ns
    AND write.checkpoint_id = doomed.checkpoint_id
),
tombstone AS (
  INSERT INTO {schema}threadkeep_tombstones AS tombstone (thread_id, checkpoint_id)
  SELECT thread_id, max(checkpoint_id COLLATE "C") FROM checkpoint GROUP BY thread_id
  ON CONFLICT (thread_id) DO UPDATE SET
    checkpoint_id = greatest(excluded.checkpoint_id, tombstone.checkpoint_id),
    deleted_at = excluded.deleted_at
)
SELECT count(*) FROM checkpoint
