-- SPDX-License-Identifier: Apache-2.0
-- The checkpoint of thread $1 and namespace $2 that {which} picks, with its values and pending
-- writes. Rows as checkpoint_rows.hpp says. Values and writes are looked up one by one in their
-- primary keys, whatever the statistics say: hence LIMIT 1, which keeps the planner from joining
-- everything that the thread has.
WITH checkpoint AS MATERIALIZED (
  SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id,
         checkpoint AS document, metadata
  FROM {schema}checkpoints
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text {which}
)
SELECT 0 AS kind, 1 AS item, checkpoint_id, parent_checkpoint_id, thread_id, checkpoint_ns,
       1 AS number, NULL::bytea AS payload, document, metadata
FROM checkpoint
UNION ALL
SELECT 1, 1, version.key, version.value, blob.type, '1', NULL, blob.blob, NULL, NULL
FROM jsonb_each_text((SELECT CASE jsonb_typeof(document -> 'channel_versions')
                               WHEN 'object' THEN document -> 'channel_versions' END
                      FROM checkpoint)) AS version
CROSS JOIN LATERAL (
  SELECT type, blob FROM {schema}checkpoint_blobs
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text
    AND channel = version.key AND version = version.value
  LIMIT 1
) AS blob
WHERE {values} AND blob.type <> 'empty' AND blob.blob IS NOT NULL
UNION ALL
SELECT 2, 1, channel, task_id, type, task_path, idx, blob, NULL, NULL
FROM {schema}checkpoint_writes
WHERE {writes} AND thread_id = $1::text AND checkpoint_ns = $2::text
  AND checkpoint_id = (SELECT checkpoint_id FROM checkpoint);
