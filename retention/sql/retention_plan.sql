-- SPDX-License-Identifier: Apache-2.0
-- The rows that a decision takes away, one by one. A dry run counts them, a sweep deletes them.
-- kind: 'thread' (all of it goes), 'checkpoint' (item: its id), 'write' (item: its checkpoint),
-- 'blob' (item: the channel). Blobs are those that nothing refers to afterwards: a checkpoint that
-- stays may share those of one that goes.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_plan(
  p_threads text[], p_policies jsonb, p_now timestamptz)
RETURNS TABLE (
  thread_id text, checkpoint_ns text, kind text, item text, version text,
  policy text, reason text, "rows" bigint, bytes bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  WITH verdict AS MATERIALIZED (
    SELECT * FROM {schema}threadkeep_retention_decide(p_threads, p_policies, p_now)
  ),
  whole AS MATERIALIZED (
    SELECT v.thread_id, v.policy, v.reason FROM verdict AS v WHERE v.checkpoint_id IS NULL
  ),
  part AS MATERIALIZED (
    SELECT v.thread_id, v.checkpoint_ns, v.checkpoint_id, v.policy, v.reason
    FROM verdict AS v WHERE v.checkpoint_id IS NOT NULL
  ),
  place AS MATERIALIZED (
    SELECT part.thread_id, part.checkpoint_ns, min(part.policy) AS policy,
           min(part.reason COLLATE "C") AS reason
    FROM part GROUP BY part.thread_id, part.checkpoint_ns
  ),
  named AS MATERIALIZED (
    SELECT p.thread_id, p.checkpoint_ns, c.checkpoint_id, version.key AS channel,
           version.value AS version
    FROM place AS p
    CROSS JOIN LATERAL (
      SELECT k.checkpoint_id, k.checkpoint -> 'channel_versions' AS versions
      FROM {schema}checkpoints AS k
      WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
      OFFSET 0
    ) AS c
    CROSS JOIN LATERAL jsonb_each_text(
      CASE WHEN jsonb_typeof(c.versions) = 'object' THEN c.versions END) AS version
  ),
  unnamed AS MATERIALIZED (
    SELECT n.thread_id, n.checkpoint_ns, n.channel, n.version
    FROM named AS n
    WHERE (n.thread_id, n.checkpoint_ns, n.checkpoint_id) IN (
      SELECT part.thread_id, part.checkpoint_ns, part.checkpoint_id FROM part)
    EXCEPT
    SELECT n.thread_id, n.checkpoint_ns, n.channel, n.version
    FROM named AS n
    WHERE (n.thread_id, n.checkpoint_ns, n.checkpoint_id) NOT IN (
      SELECT part.thread_id, part.checkpoint_ns, part.checkpoint_id FROM part)
  )
  SELECT w.thread_id, NULL::text, 'thread', NULL::text, NULL::text, w.policy, w.reason, 1::bigint,
         0::bigint
  FROM whole AS w
  UNION ALL
  SELECT w.thread_id, c.checkpoint_ns, 'checkpoint', c.checkpoint_id, NULL, w.policy, w.reason, 1,
         c.bytes
  FROM whole AS w
  CROSS JOIN LATERAL (
    SELECT k.checkpoint_ns, k.checkpoint_id,
           pg_column_size(k.checkpoint)::bigint + pg_column_size(k.metadata) AS bytes
    FROM {schema}checkpoints AS k WHERE k.thread_id = w.thread_id OFFSET 0
  ) AS c
  UNION ALL
  SELECT p.thread_id, p.checkpoint_ns, 'checkpoint', p.checkpoint_id, NULL, p.policy, p.reason, 1,
         c.bytes
  FROM part AS p
  CROSS JOIN LATERAL (
    SELECT pg_column_size(k.checkpoint)::bigint + pg_column_size(k.metadata) AS bytes
    FROM {schema}checkpoints AS k
    WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
      AND k.checkpoint_id = p.checkpoint_id
    LIMIT 1
  ) AS c
  UNION ALL
  SELECT w.thread_id, x.checkpoint_ns, 'write', x.checkpoint_id, NULL, w.policy, w.reason, x.rows,
         x.bytes
  FROM whole AS w
  CROSS JOIN LATERAL (
    SELECT k.checkpoint_ns, k.checkpoint_id, count(*) AS rows, sum(pg_column_size(k.blob)) AS bytes
    FROM {schema}checkpoint_writes AS k WHERE k.thread_id = w.thread_id
    GROUP BY k.checkpoint_ns, k.checkpoint_id
  ) AS x
  UNION ALL
  SELECT p.thread_id, p.checkpoint_ns, 'write', p.checkpoint_id, NULL, p.policy, p.reason, x.rows,
         x.bytes
  FROM part AS p
  CROSS JOIN LATERAL (
    SELECT count(*) AS rows, sum(pg_column_size(k.blob)) AS bytes
    FROM {schema}checkpoint_writes AS k
    WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
      AND k.checkpoint_id = p.checkpoint_id
    HAVING count(*) > 0
  ) AS x
  UNION ALL
  SELECT w.thread_id, b.checkpoint_ns, 'blob', b.channel, b.version, w.policy, w.reason, 1, b.bytes
  FROM whole AS w
  CROSS JOIN LATERAL (
    SELECT k.checkpoint_ns, k.channel, k.version,
           coalesce(pg_column_size(k.blob), 0)::bigint AS bytes
    FROM {schema}checkpoint_blobs AS k WHERE k.thread_id = w.thread_id OFFSET 0
  ) AS b
  UNION ALL
  SELECT u.thread_id, u.checkpoint_ns, 'blob', u.channel, u.version, p.policy, p.reason, 1, b.bytes
  FROM unnamed AS u
  JOIN place AS p ON p.thread_id = u.thread_id AND p.checkpoint_ns = u.checkpoint_ns
  CROSS JOIN LATERAL (
    SELECT coalesce(pg_column_size(k.blob), 0)::bigint AS bytes
    FROM {schema}checkpoint_blobs AS k
    WHERE k.thread_id = u.thread_id AND k.checkpoint_ns = u.checkpoint_ns
      AND k.channel = u.channel AND k.version = u.version
    LIMIT 1
  ) AS b
$threadkeep$;

CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_stored_policies()
RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
  SELECT coalesce(jsonb_agg(policy ORDER BY position), '[]')
  FROM {schema}threadkeep_retention_policies
$threadkeep$;

CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_archive_required()
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
  SELECT EXISTS (SELECT FROM {schema}threadkeep_retention_settings
                 WHERE name = 'archive' AND value = 'required')
$threadkeep$;

-- What a sweep would take away now, by policy and reason. Blobs are taken a grace later.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_preview(p_policies jsonb DEFAULT NULL)
RETURNS TABLE (
  policy text, reason text, threads bigint, checkpoints bigint, writes bigint, blobs bigint,
  bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  WITH part AS (
    SELECT array_agg(t.thread_id) AS threads
    FROM (SELECT t.thread_id, (row_number() OVER () - 1) / 500 AS part
          FROM (SELECT * FROM {schema}threadkeep_retention_next_threads(0, NULL, NULL)
                UNION
                SELECT * FROM {schema}threadkeep_retention_next_threads(1, NULL, NULL)
               ) AS t (thread_id)) AS t
    GROUP BY t.part
  )
  SELECT plan.policy, plan.reason, count(DISTINCT plan.thread_id),
         coalesce(sum(plan.rows) FILTER (WHERE plan.kind = 'checkpoint'), 0)::bigint,
         coalesce(sum(plan.rows) FILTER (WHERE plan.kind = 'write'), 0)::bigint,
         coalesce(sum(plan.rows) FILTER (WHERE plan.kind = 'blob'), 0)::bigint,
         sum(plan.bytes)::bigint
  FROM part
  CROSS JOIN LATERAL {schema}threadkeep_retention_plan(
    part.threads, coalesce(p_policies, {schema}threadkeep_retention_stored_policies()), now()
  ) AS plan
  GROUP BY plan.policy, plan.reason
  ORDER BY plan.policy COLLATE "C", plan.reason COLLATE "C"
$threadkeep$;
