-- SPDX-License-Identifier: Apache-2.0
WITH checkpoint AS (
  DELETE FROM {schema}checkpoints WHERE thread_id = $1::text RETURNING checkpoint_id
),
blob AS (
  DELETE FROM {schema}checkpoint_blobs WHERE thread_id = $1::text
),
write AS (
  DELETE FROM {schema}checkpoint_writes WHERE thread_id = $1::text
),
message AS (
  DELETE FROM {schema}threadkeep_messages WHERE thread_id = $1::text RETURNING 1
),
document AS (
  DELETE FROM {schema}threadkeep_state WHERE thread_id = $1::text RETURNING 1
),
-- Streams and operations go with it.
thread AS (
  DELETE FROM {schema}threadkeep_threads WHERE thread_id = $1::text
),
tombstone AS (
  INSERT INTO {schema}threadkeep_tombstones AS tombstone (thread_id, checkpoint_id)
  SELECT $1::text, max(checkpoint_id COLLATE "C") FROM checkpoint HAVING count(*) > 0
  ON CONFLICT (thread_id) DO UPDATE SET
    checkpoint_id = greatest(excluded.checkpoint_id, tombstone.checkpoint_id),
    deleted_at = excluded.deleted_at
)
SELECT
  (SELECT count(*) FROM checkpoint)
    + (SELECT count(*) FROM message)
    + (SELECT count(*) FROM document)
