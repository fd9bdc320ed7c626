-- SPDX-License-Identifier: Apache-2.0
-- The checkpoints of some threads, as far as the dependencies of delta channels go, and whether
-- each belongs to one of the runs $2.
SELECT
  thread_id,
  checkpoint_ns,
  checkpoint_id,
  parent_checkpoint_id,
  CASE
    WHEN metadata ? 'counters_since_delta_snapshot'
    THEN jsonb_build_object(
      'counters_since_delta_snapshot', metadata -> 'counters_since_delta_snapshot'
    )
  END,
  metadata ? 'run_id'
    AND metadata ->> 'run_id' = ANY ($2::text[])
    AND jsonb_typeof(metadata -> 'run_id') = 'string'
FROM {schema}checkpoints
WHERE thread_id = ANY ($1::text[])
