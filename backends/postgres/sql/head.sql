-- SPDX-License-Identifier: Apache-2.0
-- What tells the checkpoint of thread $1 and namespace $2 that {which} picks, and its pending
-- writes, from all others that ever were in its place; no row when there is none. A row that is
-- replaced or deleted and made anew has the xmin of another transaction. The writes have theirs in
-- the order of their key: their greatest, or their number, could be the same after a replacement by
-- a transaction that began earlier. Transactions are counted anew by a server that was restored
-- or took over from another one: hence the time of its start. Reads no document and no payload.
WITH checkpoint AS MATERIALIZED (
  SELECT checkpoint_id, tableoid, xmin
  FROM {schema}checkpoints
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text {which}
)
SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time())::text, tableoid::text,
                 xmin::text, coalesce(encode(sha256(writes.versions::bytea), 'hex'), '-'),
                 checkpoint_id)
FROM checkpoint
CROSS JOIN LATERAL (
  SELECT string_agg(version, ' ') AS versions
  FROM (
    SELECT write.xmin::text AS version FROM {schema}checkpoint_writes AS write
    WHERE thread_id = $1::text AND checkpoint_ns = $2::text
      AND checkpoint_id = (SELECT checkpoint_id FROM checkpoint)
    ORDER BY task_id, idx
  ) AS ordered
) AS writes;
