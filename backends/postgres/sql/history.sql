-- SPDX-License-Identifier: Apache-2.0
-- What the channels $3 have on the way from the checkpoint that {which} picks to its ancestors, as
-- far back as a channel is without a value. A row is that checkpoint (0), an ancestor (1), a value
-- (2) or a pending write (3). UNION drops a row that was there before, which ends a circle of
-- parents; on a second lap, rows of kind 3 may come again.
WITH RECURSIVE start AS (
  SELECT checkpoint_id, parent_checkpoint_id
  FROM {schema}checkpoints
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text {which}
), way AS (
  -- wanted: channels without a value up to here; missing: the same with this checkpoint counted.
  SELECT checkpoint_id, parent_checkpoint_id, '{}'::text[] AS wanted, $3::text[] AS missing
  FROM start
  UNION
  SELECT ancestor.checkpoint_id, ancestor.parent_checkpoint_id, way.missing,
         ARRAY(SELECT name
               FROM unnest(way.missing) AS name
               WHERE ancestor.inline -> name IS NULL
                 AND (SELECT type <> 'empty' AND blob IS NOT NULL FROM {schema}checkpoint_blobs
                      WHERE thread_id = $1::text AND checkpoint_ns = $2::text
                        AND channel = name AND version = ancestor.versions ->> name) IS NOT TRUE)
  FROM way
  CROSS JOIN LATERAL (
    SELECT checkpoint_id, parent_checkpoint_id, checkpoint -> 'channel_versions' AS versions,
           checkpoint -> 'channel_values' AS inline
    FROM {schema}checkpoints
    WHERE thread_id = $1::text AND checkpoint_ns = $2::text
      AND checkpoint_id = way.parent_checkpoint_id
    LIMIT 1
  ) AS ancestor
  WHERE way.missing <> '{}'
)
SELECT CASE WHEN wanted = '{}' THEN 0 ELSE 1 END AS kind, checkpoint_id,
       parent_checkpoint_id, NULL AS channel, NULL AS version_or_task, NULL AS type,
       NULL AS task_path, NULL::int AS idx, NULL::bytea AS payload, NULL::jsonb AS inline
FROM way
UNION ALL
SELECT 2, way.checkpoint_id, NULL, name, ancestor.versions ->> name, blob.type, NULL,
       NULL, blob.blob, CASE WHEN blob.blob IS NULL THEN ancestor.inline -> name END
FROM way
CROSS JOIN LATERAL (
  SELECT checkpoint -> 'channel_versions' AS versions, checkpoint -> 'channel_values' AS inline
  FROM {schema}checkpoints
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = way.checkpoint_id
  LIMIT 1
) AS ancestor
CROSS JOIN LATERAL unnest(way.wanted) AS name
LEFT JOIN LATERAL (
  SELECT type, blob FROM {schema}checkpoint_blobs
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text
    AND channel = name AND version = ancestor.versions ->> name
    AND type <> 'empty' AND blob IS NOT NULL
  LIMIT 1
) AS blob ON true
WHERE way.wanted <> way.missing AND name <> ALL (way.missing)
UNION ALL
SELECT 3, way.checkpoint_id, NULL, write.channel, write.task_id, write.type, write.task_path,
       write.idx, write.blob, NULL
FROM way
CROSS JOIN LATERAL (
  SELECT channel, task_id, type, task_path, idx, blob FROM {schema}checkpoint_writes
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = way.checkpoint_id
  OFFSET 0
) AS write
WHERE write.channel = ANY (way.wanted);
