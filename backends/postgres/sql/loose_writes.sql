-- SPDX-License-Identifier: Apache-2.0
-- The writes of thread $1 whose checkpoint is not stored, for the first $4 checkpoint ids after
-- ($2, $3). Rows of the writes of one checkpoint stand together, in the order of namespaces and ids.
WITH loose AS MATERIALIZED (
  SELECT DISTINCT checkpoint_ns{c} AS checkpoint_ns, checkpoint_id{c} AS checkpoint_id
  FROM {schema}checkpoint_writes AS write
  WHERE thread_id = $1::text
    AND (checkpoint_ns{c}, checkpoint_id{c}) > ($2::text, $3::text)
    AND NOT EXISTS (SELECT 1 FROM {schema}checkpoints
                    WHERE thread_id = $1::text AND checkpoint_ns = write.checkpoint_ns
                      AND checkpoint_id = write.checkpoint_id)
  ORDER BY 1, 2
  LIMIT $4::bigint
)
SELECT loose.checkpoint_ns, loose.checkpoint_id, write.channel, write.task_id, write.type,
       write.task_path, write.idx, write.blob
FROM loose
CROSS JOIN LATERAL (SELECT to_jsonb(loose.checkpoint_ns) #>> '{}' AS checkpoint_ns,
                           to_jsonb(loose.checkpoint_id) #>> '{}' AS checkpoint_id
                    OFFSET 0) AS plain
CROSS JOIN LATERAL (
  SELECT channel, task_id, type, task_path, idx, blob FROM {schema}checkpoint_writes
  WHERE thread_id = $1::text AND checkpoint_ns = plain.checkpoint_ns
    AND checkpoint_id = plain.checkpoint_id
  OFFSET 0
) AS write
ORDER BY loose.checkpoint_ns, loose.checkpoint_id;
