-- SPDX-License-Identifier: Apache-2.0
-- The writes of a thread that are for checkpoints before the latest of their namespace ($2, $3), but
-- for those that are kept ($4, $5).
WITH old AS MATERIALIZED (
  SELECT write.checkpoint_ns, write.checkpoint_id
  FROM unnest($2::text[], $3::text[]) AS latest (checkpoint_ns, checkpoint_id)
  JOIN {schema}checkpoint_writes AS write
    ON write.thread_id = $1::text
    AND write.checkpoint_ns = latest.checkpoint_ns
    AND write.checkpoint_id{c} < latest.checkpoint_id{c}
  EXCEPT
  SELECT * FROM unnest($4::text[], $5::text[]) AS kept (checkpoint_ns, checkpoint_id)
)
DELETE FROM {schema}checkpoint_writes AS write
USING old
WHERE write.thread_id = $1::text
  AND write.checkpoint_ns = old.checkpoint_ns
  AND write.checkpoint_id = old.checkpoint_id
