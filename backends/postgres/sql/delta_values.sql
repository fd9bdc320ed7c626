-- SPDX-License-Identifier: Apache-2.0
-- Which checkpoints of some threads have a value, stored or inline, in a channel that is a delta
-- channel somewhere in their namespace. Nearly always there are none. Here and elsewhere OFFSET 0
-- keeps the planner from joining whole tables: it does not know how short the arrays are.
WITH delta AS MATERIALIZED (
  SELECT DISTINCT
    wanted.thread_id,
    checkpoint.checkpoint_ns,
    jsonb_object_keys(checkpoint.counters) AS channel
  FROM unnest($1::text[]) AS wanted (thread_id)
  CROSS JOIN LATERAL (
    SELECT checkpoint_ns, metadata -> 'counters_since_delta_snapshot' AS counters
    FROM {schema}checkpoints
    WHERE thread_id = wanted.thread_id
      AND jsonb_typeof(metadata -> 'counters_since_delta_snapshot') = 'object'
    OFFSET 0
  ) AS checkpoint
)
SELECT delta.thread_id, delta.checkpoint_ns, node.checkpoint_id, delta.channel
FROM delta
CROSS JOIN LATERAL (
  SELECT checkpoint_id, checkpoint
  FROM {schema}checkpoints
  WHERE thread_id = delta.thread_id AND checkpoint_ns = delta.checkpoint_ns
  OFFSET 0
) AS node
WHERE
  CASE
    WHEN jsonb_typeof(node.checkpoint -> 'channel_values') = 'object'
    THEN node.checkpoint -> 'channel_values' ? delta.channel
    ELSE false
  END
  OR EXISTS (
    SELECT FROM {schema}checkpoint_blobs
    WHERE thread_id = delta.thread_id
      AND checkpoint_ns = delta.checkpoint_ns
      AND channel = delta.channel
      AND version = node.checkpoint -> 'channel_versions' ->> delta.channel
      AND type <> 'empty'
      AND blob IS NOT NULL
    OFFSET 0
  )
