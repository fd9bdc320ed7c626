-- SPDX-License-Identifier: Apache-2.0
-- Which checkpoints of some threads have a value, stored or inline, in a channel that is a delta
-- channel somewhere in their namespace. Nearly always there are none.
WITH delta AS MATERIALIZED (
  SELECT DISTINCT
    thread_id,
    checkpoint_ns,
    jsonb_object_keys(metadata -> 'counters_since_delta_snapshot') AS channel
  FROM {schema}checkpoints
  WHERE thread_id = ANY ($1::text[])
    AND jsonb_typeof(metadata -> 'counters_since_delta_snapshot') = 'object'
)
SELECT thread_id, checkpoint_ns, node.checkpoint_id, delta.channel
FROM delta
JOIN {schema}checkpoints AS node USING (thread_id, checkpoint_ns)
WHERE
  CASE
    WHEN jsonb_typeof(node.checkpoint -> 'channel_values') = 'object'
    THEN node.checkpoint -> 'channel_values' ? delta.channel
    ELSE false
  END
  OR EXISTS (
    SELECT FROM {schema}checkpoint_blobs AS value
    WHERE value.thread_id = node.thread_id
      AND value.checkpoint_ns = node.checkpoint_ns
      AND value.channel = delta.channel
      AND value.version = node.checkpoint -> 'channel_versions' ->> delta.channel
      AND value.type <> 'empty'
      AND value.blob IS NOT NULL
  )
