-- SPDX-License-Identifier: Apache-2.0
-- The blobs of some namespaces ($1 threads, $2 namespaces) that no checkpoint refers to any more. A
-- difference of sets, so that the work never grows with checkpoints times blobs. See
-- delta_values.sql for OFFSET 0.
WITH place AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[]) AS place (thread_id, checkpoint_ns)
),
orphan AS MATERIALIZED (
  SELECT place.thread_id, place.checkpoint_ns, blob.channel, blob.version
  FROM place
  CROSS JOIN LATERAL (
    SELECT channel, version
    FROM {schema}checkpoint_blobs
    WHERE thread_id = place.thread_id AND checkpoint_ns = place.checkpoint_ns
    OFFSET 0
  ) AS blob
  EXCEPT
  SELECT place.thread_id, place.checkpoint_ns, named.key, named.value
  FROM place
  CROSS JOIN LATERAL (
    SELECT checkpoint -> 'channel_versions' AS versions
    FROM {schema}checkpoints
    WHERE thread_id = place.thread_id AND checkpoint_ns = place.checkpoint_ns
    OFFSET 0
  ) AS checkpoint
  CROSS JOIN LATERAL jsonb_each_text(
    CASE WHEN jsonb_typeof(checkpoint.versions) = 'object' THEN checkpoint.versions END
  ) AS named
)
DELETE FROM {schema}checkpoint_blobs AS blob
USING orphan
WHERE blob.thread_id = orphan.thread_id
  AND blob.checkpoint_ns = orphan.checkpoint_ns
  AND blob.channel = orphan.channel
  AND blob.version = orphan.version
