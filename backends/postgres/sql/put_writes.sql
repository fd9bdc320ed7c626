-- SPDX-License-Identifier: Apache-2.0
-- The first regular write of a key stays, the last special one does. No key may come twice.
WITH deleted AS MATERIALIZED (
  SELECT
    EXISTS (
      SELECT FROM {schema}threadkeep_tombstones
      WHERE thread_id = $1::text AND checkpoint_id >= $3::text COLLATE "C"
    )
    AND NOT EXISTS (
      SELECT FROM {schema}checkpoints
      WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = $3::text
    ) AS deleted
),
write AS (
  INSERT INTO {schema}checkpoint_writes AS write (
    thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, task_path, type, blob
  )
  SELECT $1::text, $2::text, $3::text, task_id, idx, channel, task_path, type, blob
  FROM ({rows}) AS given (task_id, idx, channel, task_path, type, blob)
  WHERE NOT (SELECT deleted FROM deleted)
  ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET
    channel = excluded.channel,
    task_path = excluded.task_path,
    type = excluded.type,
    blob = excluded.blob
  WHERE write.idx < 0
  RETURNING 1
),
-- Whoever answers an interrupt writes nothing else until the next step has ended. See put.sql for
-- the times.
thread AS (
  UPDATE {schema}threadkeep_threads SET updated_at = $4::timestamptz
  WHERE thread_id = $1::text AND updated_at <= $5::timestamptz
    AND NOT (SELECT deleted FROM deleted)
)
SELECT deleted, (SELECT count(*) FROM write) FROM deleted
