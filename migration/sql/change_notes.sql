-- SPDX-License-Identifier: Apache-2.0
-- Sets times of threads that are there, and raises tombstones. $1: a JSON array of objects; what is
-- null in them stays. Times in microseconds since 1970.
WITH change AS (
  SELECT thread_id COLLATE "C" AS thread_id, tombstone COLLATE "C" AS tombstone,
         timestamptz '1970-01-01 00:00:00+00' + created_at * interval '1 microsecond' AS created_at,
         timestamptz '1970-01-01 00:00:00+00' + updated_at * interval '1 microsecond' AS updated_at
  FROM jsonb_to_recordset($1::text::jsonb)
    AS row(thread_id text, tombstone text, created_at bigint, updated_at bigint)
),
times AS (
  UPDATE {schema}threadkeep_threads AS thread
  SET created_at = coalesce(change.created_at, thread.created_at),
      updated_at = coalesce(change.updated_at, thread.updated_at)
  FROM change
  WHERE thread.thread_id = change.thread_id
    AND (change.created_at IS NOT NULL OR change.updated_at IS NOT NULL)
)
INSERT INTO {schema}threadkeep_tombstones AS stored (thread_id, checkpoint_id)
SELECT thread_id, max(tombstone) FROM change WHERE tombstone IS NOT NULL GROUP BY thread_id
ON CONFLICT (thread_id) DO UPDATE SET checkpoint_id = excluded.checkpoint_id, deleted_at = now()
WHERE excluded.checkpoint_id > stored.checkpoint_id
