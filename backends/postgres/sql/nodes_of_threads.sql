-- SPDX-License-Identifier: Apache-2.0
-- The checkpoints of some threads, as far as the dependencies of delta channels go, and whether
-- each belongs to one of the runs $2. See delta_values.sql for OFFSET 0.
SELECT
  wanted.thread_id,
  checkpoint.checkpoint_ns,
  checkpoint.checkpoint_id,
  checkpoint.parent_checkpoint_id,
  CASE
    WHEN metadata ? 'counters_since_delta_snapshot'
    THEN jsonb_build_object(
      'counters_since_delta_snapshot', metadata -> 'counters_since_delta_snapshot'
    )
  END,
  metadata ? 'run_id'
    AND metadata ->> 'run_id' = ANY ($2::text[])
    AND jsonb_typeof(metadata -> 'run_id') = 'string'
FROM unnest($1::text[]) AS wanted (thread_id)
CROSS JOIN LATERAL (
  SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata
  FROM {schema}checkpoints
  WHERE thread_id = wanted.thread_id
  OFFSET 0
) AS checkpoint
