-- SPDX-License-Identifier: Apache-2.0
-- The blobs of some namespaces ($1 threads, $2 namespaces) that no checkpoint refers to any more. A
-- difference of sets, so that the work never grows with checkpoints times blobs.
WITH place AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[]) AS place (thread_id, checkpoint_ns)
),
orphan AS MATERIALIZED (
  SELECT blob.thread_id, blob.checkpoint_ns, blob.channel, blob.version
  FROM place
  JOIN {schema}checkpoint_blobs AS blob
    ON blob.thread_id = place.thread_id AND blob.checkpoint_ns = place.checkpoint_ns
  EXCEPT
  SELECT checkpoint.thread_id, checkpoint.checkpoint_ns, named.key, named.value
  FROM place
  JOIN {schema}checkpoints AS checkpoint
    ON checkpoint.thread_id = place.thread_id AND checkpoint.checkpoint_ns = place.checkpoint_ns
  CROSS JOIN LATERAL jsonb_each_text(
    CASE
      WHEN jsonb_typeof(checkpoint.checkpoint -> 'channel_versions') = 'object'
      THEN checkpoint.checkpoint -> 'channel_versions'
    END
  ) AS named
)
DELETE FROM {schema}checkpoint_blobs AS blob
USING orphan
WHERE blob.thread_id = orphan.thread_id
  AND blob.checkpoint_ns = orphan.checkpoint_ns
  AND blob.channel = orphan.channel
  AND blob.version = orphan.version
