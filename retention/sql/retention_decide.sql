-- SPDX-License-Identifier: Apache-2.0
-- The decision of retention/include/threadkeep/retention/decision.hpp; tests hold both equal.

-- Whether a checkpoint has a value, inline or stored, in a channel.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_has_value(
  p_thread_id text, p_checkpoint_ns text, p_document jsonb, p_channel text)
RETURNS boolean LANGUAGE sql STABLE AS $threadkeep$
  SELECT CASE WHEN jsonb_typeof(p_document -> 'channel_values') = 'object'
              THEN p_document -> 'channel_values' ? p_channel ELSE false END
    OR EXISTS (SELECT FROM {schema}checkpoint_blobs AS b
               WHERE b.thread_id = p_thread_id AND b.checkpoint_ns = p_checkpoint_ns
                 AND b.channel = p_channel
                 AND b.version = p_document -> 'channel_versions' ->> p_channel
                 AND b.type <> 'empty' AND b.blob IS NOT NULL)
$threadkeep$;

-- The checkpoints of one namespace that stay because those of p_kept do, these included.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_closure(
  p_thread_id text, p_checkpoint_ns text, p_kept text[])
RETURNS text[] LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_kept text[];
  v_more text[];
BEGIN
  -- Open interrupts: nobody has gone on from there.
  v_kept := p_kept || ARRAY(
    SELECT w.checkpoint_id::text FROM {schema}checkpoint_writes AS w
    WHERE w.thread_id = p_thread_id AND w.checkpoint_ns = p_checkpoint_ns
      AND w.channel = '__interrupt__'
    EXCEPT
    SELECT c.parent_checkpoint_id FROM {schema}checkpoints AS c
    WHERE c.thread_id = p_thread_id AND c.checkpoint_ns = p_checkpoint_ns);
  LOOP
    WITH RECURSIVE kept AS MATERIALIZED (
      SELECT c.checkpoint_id, c.parent_checkpoint_id, c.checkpoint, c.metadata
      FROM {schema}checkpoints AS c
      WHERE c.thread_id = p_thread_id AND c.checkpoint_ns = p_checkpoint_ns
        AND c.checkpoint_id = ANY (v_kept)
    ),
    -- One row for each delta channel on its way back to a value.
    way AS (
      SELECT k.parent_checkpoint_id AS next, delta.channel
      FROM kept AS k
      CROSS JOIN LATERAL jsonb_object_keys(
        CASE WHEN jsonb_typeof(k.metadata -> 'counters_since_delta_snapshot') = 'object'
             THEN k.metadata -> 'counters_since_delta_snapshot' END) AS delta (channel)
      WHERE NOT {schema}threadkeep_retention_has_value(
        p_thread_id, p_checkpoint_ns, k.checkpoint, delta.channel)
      UNION
      SELECT CASE WHEN NOT {schema}threadkeep_retention_has_value(
               p_thread_id, p_checkpoint_ns, c.checkpoint, way.channel)
             THEN c.parent_checkpoint_id END,
             way.channel
      FROM way
      JOIN {schema}checkpoints AS c
        ON c.thread_id = p_thread_id AND c.checkpoint_ns = p_checkpoint_ns
        AND c.checkpoint_id = way.next
    ),
    needed AS (
      SELECT next AS checkpoint_id FROM way
      UNION
      SELECT k.parent_checkpoint_id FROM kept AS k
      GROUP BY k.parent_checkpoint_id
      HAVING count(*) > 1
        OR (bool_or(CASE WHEN jsonb_typeof(k.checkpoint -> 'v') = 'number'
                         THEN (k.checkpoint ->> 'v')::numeric < 4 END)
            AND EXISTS (SELECT FROM {schema}checkpoint_writes AS w
                        WHERE w.thread_id = p_thread_id AND w.checkpoint_ns = p_checkpoint_ns
                          AND w.checkpoint_id = k.parent_checkpoint_id
                          AND w.channel = '__pregel_tasks'))
    )
    SELECT array_agg(c.checkpoint_id) INTO v_more
    FROM needed AS n
    JOIN {schema}checkpoints AS c
      ON c.thread_id = p_thread_id AND c.checkpoint_ns = p_checkpoint_ns
      AND c.checkpoint_id = n.checkpoint_id
    WHERE NOT c.checkpoint_id = ANY (v_kept);
    EXIT WHEN v_more IS NULL;
    v_kept := v_kept || v_more;
  END LOOP;
  RETURN v_kept;
END
$threadkeep$;

-- What goes of some threads: a row without checkpoint_id means all of the thread.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_decide(
  p_threads text[], p_policies jsonb, p_now timestamptz)
RETURNS TABLE (thread_id text, checkpoint_ns text, checkpoint_id text, policy text, reason text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  WITH policy AS MATERIALIZED (
    SELECT p.position,
           p.value ->> 'name' AS name,
           {schema}threadkeep_retention_like(p.value ->> 'threads') AS threads,
           coalesce(p.value -> 'metadata', '{}') AS metadata,
           {schema}threadkeep_retention_duration(p.value ->> 'idle') AS idle,
           coalesce(p.value ->> 'expiry' = 'fixed', false) AS fixed,
           {schema}threadkeep_retention_duration(p.value ->> 'age') AS age,
           nullif(p.value ->> 'keep_last', 'off')::bigint AS keep_last
    FROM jsonb_array_elements(p_policies) WITH ORDINALITY AS p (value, position)
  ),
  -- Pins and holds beat everything.
  wanted AS MATERIALIZED (
    SELECT DISTINCT given.thread_id
    FROM unnest(p_threads) AS given (thread_id)
    WHERE NOT EXISTS (SELECT FROM {schema}threadkeep_retention_marks AS mark
                      WHERE mark.thread_id = given.thread_id)
  ),
  place AS MATERIALIZED (
    SELECT w.thread_id, c.checkpoint_ns, max(c.checkpoint_id COLLATE "C") AS latest,
           min(c.checkpoint_id COLLATE "C") AS first
    FROM wanted AS w
    CROSS JOIN LATERAL (
      SELECT k.checkpoint_ns, k.checkpoint_id FROM {schema}checkpoints AS k
      WHERE k.thread_id = w.thread_id OFFSET 0
    ) AS c
    GROUP BY w.thread_id, c.checkpoint_ns
  ),
  ends AS MATERIALIZED (
    SELECT p.thread_id, p.checkpoint_ns, latest.metadata, latest.time AS latest, first.time AS first
    FROM place AS p
    CROSS JOIN LATERAL (
      SELECT k.metadata, {schema}threadkeep_retention_time(k.checkpoint, k.checkpoint_id) AS time
      FROM {schema}checkpoints AS k
      WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
        AND k.checkpoint_id = p.latest LIMIT 1
    ) AS latest
    CROSS JOIN LATERAL (
      SELECT {schema}threadkeep_retention_time(k.checkpoint, k.checkpoint_id) AS time
      FROM {schema}checkpoints AS k
      WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
        AND k.checkpoint_id = p.first LIMIT 1
    ) AS first
  ),
  times AS MATERIALIZED (
    SELECT e.thread_id, max(e.latest) AS latest, count(*) > count(e.latest) AS unknown,
           min(e.first) AS first,
           (array_agg(e.metadata ORDER BY e.checkpoint_ns COLLATE "C"))[1] AS metadata
    FROM ends AS e GROUP BY e.thread_id
  ),
  thread AS MATERIALIZED (
    SELECT w.thread_id, expiry.expires_at,
           CASE WHEN jsonb_typeof(times.metadata) = 'object' THEN times.metadata ELSE '{}' END
             || coalesce(own.metadata, '{}') AS metadata,
           CASE WHEN own.updated_at IS NOT NULL OR NOT times.unknown
                THEN greatest(own.updated_at, times.latest) END AS active_at,
           coalesce(own.created_at, times.first) AS begun_at
    FROM wanted AS w
    LEFT JOIN {schema}threadkeep_threads AS own ON own.thread_id = w.thread_id
    LEFT JOIN times ON times.thread_id = w.thread_id
    LEFT JOIN {schema}threadkeep_retention_expiry AS expiry ON expiry.thread_id = w.thread_id
    WHERE own.thread_id IS NOT NULL OR times.thread_id IS NOT NULL
  ),
  judged AS MATERIALIZED (
    SELECT t.thread_id, coalesce(p.name, '') AS policy, p.age, p.keep_last,
           CASE WHEN t.expires_at IS NOT NULL
                THEN CASE WHEN t.expires_at <= p_now THEN 'expired' END
                WHEN CASE WHEN p.fixed THEN t.begun_at ELSE t.active_at END < p_now - p.idle
                THEN 'idle'
           END AS reason
    FROM thread AS t
    LEFT JOIN LATERAL (
      SELECT * FROM policy
      WHERE t.thread_id COLLATE "C" LIKE policy.threads COLLATE "C"
        AND NOT EXISTS (SELECT FROM jsonb_each(policy.metadata) AS f
                        WHERE t.metadata -> f.key IS DISTINCT FROM f.value)
      ORDER BY policy.position LIMIT 1
    ) AS p ON true
  ),
  marked AS MATERIALIZED (
    SELECT j.thread_id, p.checkpoint_ns, c.checkpoint_id, j.policy,
           CASE WHEN c.rank = 1 THEN NULL
                WHEN c.time < p_now - j.age THEN 'age'
                WHEN c.rank > j.keep_last THEN 'keep_last'
           END AS reason,
           c.parent, c.delta
    FROM judged AS j
    JOIN place AS p ON p.thread_id = j.thread_id
    CROSS JOIN LATERAL (
      SELECT k.checkpoint_id, row_number() OVER (ORDER BY k.checkpoint_id{c} DESC) AS rank,
             k.parent_checkpoint_id AS parent,
             k.metadata ? 'counters_since_delta_snapshot' AS delta,
             CASE WHEN j.age IS NOT NULL
                  THEN {schema}threadkeep_retention_time(k.checkpoint, k.checkpoint_id) END AS time
      FROM {schema}checkpoints AS k
      WHERE k.thread_id = j.thread_id AND k.checkpoint_ns = p.checkpoint_ns
      OFFSET 0
    ) AS c
    WHERE j.reason IS NULL AND (j.age IS NOT NULL OR j.keep_last IS NOT NULL)
  ),
  -- Only where something can be needed: most namespaces are a plain line.
  spared AS MATERIALIZED (
    SELECT m.thread_id, m.checkpoint_ns, stays.checkpoint_id
    FROM (SELECT marked.thread_id, marked.checkpoint_ns,
                 array_agg(marked.checkpoint_id) FILTER (WHERE marked.reason IS NULL) AS kept
          FROM marked GROUP BY marked.thread_id, marked.checkpoint_ns
          HAVING count(marked.reason) > 0
            AND (bool_or(marked.delta) OR count(marked.parent) > count(DISTINCT marked.parent)
                 OR EXISTS (SELECT FROM {schema}checkpoint_writes AS x
                            WHERE x.thread_id = marked.thread_id
                              AND x.checkpoint_ns = marked.checkpoint_ns
                              AND x.channel IN ('__interrupt__', '__pregel_tasks')))) AS m
    CROSS JOIN LATERAL unnest({schema}threadkeep_retention_closure(
      m.thread_id, m.checkpoint_ns, m.kept)) AS stays (checkpoint_id)
  )
  SELECT j.thread_id, NULL, NULL, j.policy, j.reason FROM judged AS j WHERE j.reason IS NOT NULL
  UNION ALL
  SELECT m.thread_id, m.checkpoint_ns, m.checkpoint_id, m.policy, m.reason
  FROM marked AS m
  WHERE m.reason IS NOT NULL
    AND (m.thread_id, m.checkpoint_ns, m.checkpoint_id) NOT IN (
      SELECT s.thread_id, s.checkpoint_ns, s.checkpoint_id FROM spared AS s)
$threadkeep$;
