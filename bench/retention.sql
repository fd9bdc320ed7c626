-- SPDX-License-Identifier: Apache-2.0
-- Threads of the benchmark of retention, as an agent leaves them: %(steps)s checkpoints each, of
-- which every one has two new values of 256 bytes and two writes. Four of five have been idle for
-- thirty days.
WITH thread AS (
  SELECT 'thread-' || lpad(number::text, 8, '0') AS id,
         now() - CASE WHEN number %% 5 = 0 THEN interval '0' ELSE interval '30 days' END AS at
  FROM generate_series(1, %(threads)s) AS number
),
step AS MATERIALIZED (
  SELECT thread.id, thread.at, step, lpad(step::text, 32, '0') AS place,
         lpad((step - 1)::text, 32, '0') AS before
  FROM thread CROSS JOIN generate_series(1, %(steps)s) AS step
),
value AS MATERIALIZED (
  SELECT id, place, channel,
         convert_to(left(repeat(md5(id || place || channel), 8), 256), 'UTF8') AS bytes
  FROM step CROSS JOIN unnest(ARRAY['a', 'b']) AS channel
),
stored_thread AS (
  INSERT INTO threadkeep_threads (thread_id, created_at, updated_at) SELECT id, at, at FROM thread
),
blob AS (
  INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
  SELECT id, '', channel, place, 'msgpack', bytes FROM value
),
write AS (
  INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path)
  SELECT id, '', place, 'task', CASE channel WHEN 'a' THEN 0 ELSE 1 END, channel, 'msgpack', bytes,
         ''
  FROM value
)
INSERT INTO checkpoints
  (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT id, '', place, CASE WHEN step > 1 THEN before END,
       jsonb_build_object(
         'v', 4, 'id', place, 'ts', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00'),
         'channel_values', '{}'::jsonb, 'versions_seen', '{}'::jsonb,
         'channel_versions', jsonb_build_object('a', place, 'b', place)),
       jsonb_build_object('source', 'loop', 'step', step, 'parents', '{}'::jsonb)
FROM step
