-- SPDX-License-Identifier: Apache-2.0
-- Sweeping: a run has the lease, and each of its steps is one transaction of bounded size.

-- The number of the new run; null when another one is alive. A run that was killed leaves its lease
-- to the next one after a minute, and its place in the order of threads at once.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_begin(p_kind text DEFAULT 'sweep')
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $threadkeep$
DECLARE
  v_running bigint[];
  v_free bigint[];
  v_run bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a sweep needs the isolation READ COMMITTED, this transaction has %',
      upper(current_setting('transaction_isolation'))
      USING HINT = 'SET default_transaction_isolation = ''read committed''',
            ERRCODE = 'invalid_transaction_state';
  END IF;
  LOCK TABLE {schema}threadkeep_retention_policies IN SHARE ROW EXCLUSIVE MODE;
  v_running := ARRAY(SELECT run_id FROM {schema}threadkeep_retention_runs WHERE state = 'running');
  v_free := ARRAY(SELECT run_id FROM {schema}threadkeep_retention_runs
                  WHERE state = 'running' AND alive_until < clock_timestamp()
                  FOR UPDATE SKIP LOCKED);
  IF cardinality(v_free) < cardinality(v_running) THEN
    RETURN NULL;
  END IF;
  UPDATE {schema}threadkeep_retention_runs
  SET state = 'died', finished_at = clock_timestamp()
  WHERE run_id = ANY (v_free);
  INSERT INTO {schema}threadkeep_retention_runs (kind, phase, after_thread)
  SELECT p_kind, coalesce(last.phase, 0), last.after_thread
  FROM (SELECT) AS one
  LEFT JOIN (SELECT * FROM {schema}threadkeep_retention_runs
             WHERE kind = p_kind ORDER BY run_id DESC LIMIT 1) AS last
    ON last.state <> 'done' AND last.phase < 2
  RETURNING run_id INTO v_run;
  RETURN v_run;
END
$threadkeep$;

-- Takes away what is due of some threads. Those that somebody writes to at the moment are passed
-- over, and so are those that are not as they were seen, where p_seen says how (see look()). What
-- goes is decided by the statement that deletes it, behind the lock of the thread.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_remove(
  p_run bigint, p_threads text[], p_policies jsonb, p_action text, p_seen jsonb, p_archive text)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_threads text[];
BEGIN
  IF p_threads = '{}' THEN
    RETURN;
  END IF;
  v_threads := ARRAY(
    SELECT thread_id FROM unnest(p_threads) AS wanted (thread_id)
    WHERE pg_try_advisory_xact_lock({schema}threadkeep_retention_lock_key(thread_id)));
  WITH unchanged AS MATERIALIZED (
    SELECT thread_id FROM unnest(v_threads) AS locked (thread_id)
    WHERE p_seen IS NULL
      OR {schema}threadkeep_retention_fingerprint(thread_id) = p_seen ->> thread_id
  ),
  plan AS MATERIALIZED (
    SELECT * FROM {schema}threadkeep_retention_plan(
      ARRAY(SELECT unchanged.thread_id FROM unchanged), p_policies, now())
  ),
  victim AS MATERIALIZED (
    SELECT c.thread_id, c.checkpoint_ns, c.checkpoint_id
    FROM plan
    JOIN {schema}checkpoints AS c
      ON c.thread_id = plan.thread_id AND c.checkpoint_ns = plan.checkpoint_ns
      AND c.checkpoint_id = plan.item
    WHERE plan.kind = 'checkpoint'
    FOR UPDATE OF c SKIP LOCKED
  ),
  busy AS MATERIALIZED (
    SELECT DISTINCT left_over.thread_id FROM (
      SELECT plan.thread_id, plan.checkpoint_ns, plan.item FROM plan WHERE kind = 'checkpoint'
      EXCEPT
      SELECT * FROM victim
    ) AS left_over
  ),
  going AS MATERIALIZED (
    SELECT * FROM plan WHERE plan.thread_id NOT IN (SELECT busy.thread_id FROM busy)
  ),
  checkpoint AS (
    DELETE FROM {schema}checkpoints AS c
    USING going AS g
    WHERE g.kind = 'checkpoint' AND c.thread_id = g.thread_id
      AND c.checkpoint_ns = g.checkpoint_ns AND c.checkpoint_id = g.item
    RETURNING c.thread_id, c.checkpoint_id
  ),
  write AS (
    DELETE FROM {schema}checkpoint_writes AS w
    USING going AS g
    WHERE g.kind = 'write' AND w.thread_id = g.thread_id
      AND w.checkpoint_ns = g.checkpoint_ns AND w.checkpoint_id = g.item
  ),
  thread AS (
    DELETE FROM {schema}threadkeep_threads AS t
    USING going AS g
    WHERE g.kind = 'thread' AND t.thread_id = g.thread_id
  ),
  expiry AS (
    DELETE FROM {schema}threadkeep_retention_expiry AS e
    USING going AS g
    WHERE g.kind = 'thread' AND e.thread_id = g.thread_id
  ),
  tombstone AS (
    INSERT INTO {schema}threadkeep_tombstones AS tombstone (thread_id, checkpoint_id)
    SELECT thread_id, max(checkpoint_id COLLATE "C") FROM checkpoint GROUP BY thread_id
    ON CONFLICT (thread_id) DO UPDATE SET
      checkpoint_id = greatest(excluded.checkpoint_id, tombstone.checkpoint_id),
      deleted_at = excluded.deleted_at
  ),
  garbage AS (
    INSERT INTO {schema}threadkeep_retention_garbage AS garbage
      (thread_id, checkpoint_ns, removed_at, blobs)
    SELECT g.thread_id, g.checkpoint_ns, clock_timestamp(),
           coalesce(jsonb_agg(jsonb_build_array(g.item, g.version))
                      FILTER (WHERE g.kind = 'blob'), '[]')
    FROM going AS g WHERE g.checkpoint_ns IS NOT NULL
    GROUP BY g.thread_id, g.checkpoint_ns
    ON CONFLICT (thread_id, checkpoint_ns, removed_at)
    DO UPDATE SET blobs = garbage.blobs || excluded.blobs
  ),
  total AS MATERIALIZED (
    SELECT g.policy, g.reason, count(DISTINCT g.thread_id) AS threads,
           coalesce(sum(g.rows) FILTER (WHERE g.kind = 'checkpoint'), 0) AS checkpoints,
           coalesce(sum(g.rows) FILTER (WHERE g.kind = 'write'), 0) AS writes,
           coalesce(sum(g.rows) FILTER (WHERE g.kind = 'blob'), 0) AS blobs,
           sum(g.bytes) AS bytes
    FROM going AS g GROUP BY g.policy, g.reason
  ),
  audit AS (
    INSERT INTO {schema}threadkeep_retention_audit
      (run_id, action, policy, reason, threads, checkpoints, writes, blobs, bytes)
    SELECT p_run, p_action, t.policy, t.reason, t.threads, t.checkpoints, t.writes, t.blobs, t.bytes
    FROM total AS t
  ),
  archived AS (
    INSERT INTO {schema}threadkeep_retention_audit (run_id, action, reason, threads)
    SELECT p_run, 'archive', p_archive, count(DISTINCT g.thread_id)
    FROM going AS g WHERE p_archive IS NOT NULL HAVING count(*) > 0
  )
  UPDATE {schema}threadkeep_retention_runs AS run
  SET threads = run.threads + sum.threads, checkpoints = run.checkpoints + sum.checkpoints,
      writes = run.writes + sum.writes, blobs = run.blobs + sum.blobs,
      bytes = run.bytes + sum.bytes,
      busy = run.busy + cardinality(p_threads) - (SELECT count(*) FROM unchanged)
               + (SELECT count(*) FROM busy)
  FROM (SELECT count(DISTINCT g.thread_id) AS threads,
               coalesce(sum(g.rows) FILTER (WHERE g.kind = 'checkpoint'), 0) AS checkpoints,
               coalesce(sum(g.rows) FILTER (WHERE g.kind = 'write'), 0) AS writes,
               coalesce(sum(g.rows) FILTER (WHERE g.kind = 'blob'), 0) AS blobs,
               coalesce(sum(g.bytes), 0) AS bytes
        FROM going AS g) AS sum
  WHERE run.run_id = p_run;
END
$threadkeep$;

-- The second phase: blobs whose checkpoints went a grace ago and that nothing refers to now, and
-- writes that came late for these checkpoints. False when nothing more is due.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_collect(
  p_run bigint, p_limit integer, p_action text)
RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_before timestamptz := now() - interval '15 minutes';
  v_threads text[];
BEGIN
  v_threads := ARRAY(
    SELECT thread_id
    FROM (SELECT DISTINCT due.thread_id
          FROM (SELECT g.thread_id FROM {schema}threadkeep_retention_garbage AS g
                WHERE g.removed_at <= v_before
                ORDER BY g.removed_at, g.thread_id LIMIT p_limit) AS due
          OFFSET 0) AS due
    WHERE pg_try_advisory_xact_lock({schema}threadkeep_retention_lock_key(thread_id)));
  IF v_threads = '{}' THEN
    RETURN false;
  END IF;
  WITH due AS MATERIALIZED (
    SELECT g.thread_id, g.checkpoint_ns, g.removed_at, g.blobs
    FROM {schema}threadkeep_retention_garbage AS g
    WHERE g.thread_id = ANY (v_threads) AND g.removed_at <= v_before
  ),
  place AS MATERIALIZED (
    SELECT DISTINCT due.thread_id, due.checkpoint_ns FROM due
  ),
  orphan AS MATERIALIZED (
    SELECT due.thread_id, due.checkpoint_ns, blob.value ->> 0 AS channel,
           blob.value ->> 1 AS version
    FROM due CROSS JOIN LATERAL jsonb_array_elements(due.blobs) AS blob
    EXCEPT
    SELECT p.thread_id, p.checkpoint_ns, version.key, version.value
    FROM place AS p
    CROSS JOIN LATERAL (
      SELECT k.checkpoint -> 'channel_versions' AS versions
      FROM {schema}checkpoints AS k
      WHERE k.thread_id = p.thread_id AND k.checkpoint_ns = p.checkpoint_ns
      OFFSET 0
    ) AS c
    CROSS JOIN LATERAL jsonb_each_text(
      CASE WHEN jsonb_typeof(c.versions) = 'object' THEN c.versions END) AS version
    EXCEPT
    -- Came back and went again a short time ago.
    SELECT p.thread_id, p.checkpoint_ns, blob.value ->> 0, blob.value ->> 1
    FROM place AS p
    JOIN {schema}threadkeep_retention_garbage AS g
      ON g.thread_id = p.thread_id AND g.checkpoint_ns = p.checkpoint_ns
      AND g.removed_at > v_before
    CROSS JOIN LATERAL jsonb_array_elements(g.blobs) AS blob
  ),
  blob AS (
    DELETE FROM {schema}checkpoint_blobs AS b
    USING orphan AS o
    WHERE b.thread_id = o.thread_id AND b.checkpoint_ns = o.checkpoint_ns
      AND b.channel = o.channel AND b.version = o.version
    RETURNING coalesce(pg_column_size(b.blob), 0)::bigint AS bytes
  ),
  write AS (
    DELETE FROM {schema}checkpoint_writes AS w
    USING place AS p, {schema}threadkeep_tombstones AS t
    WHERE t.thread_id = p.thread_id AND w.thread_id = p.thread_id
      AND w.checkpoint_ns = p.checkpoint_ns AND w.checkpoint_id COLLATE "C" <= t.checkpoint_id
      AND NOT EXISTS (SELECT FROM {schema}checkpoints AS c
                      WHERE c.thread_id = w.thread_id AND c.checkpoint_ns = w.checkpoint_ns
                        AND c.checkpoint_id = w.checkpoint_id)
    RETURNING pg_column_size(w.blob)::bigint AS bytes
  ),
  garbage AS (
    DELETE FROM {schema}threadkeep_retention_garbage AS g
    USING due
    WHERE g.thread_id = due.thread_id AND g.checkpoint_ns = due.checkpoint_ns
      AND g.removed_at = due.removed_at
  ),
  audit AS (
    INSERT INTO {schema}threadkeep_retention_audit (run_id, action, reason, writes, blobs, bytes)
    SELECT p_run, p_action, 'unreferenced', (SELECT count(*) FROM write),
           (SELECT count(*) FROM blob),
           (SELECT coalesce(sum(bytes), 0) FROM (TABLE blob UNION ALL TABLE write) AS gone)
    WHERE EXISTS (TABLE blob) OR EXISTS (TABLE write)
  )
  UPDATE {schema}threadkeep_retention_runs AS run
  SET collected = run.collected + (SELECT count(*) FROM blob)
  WHERE run.run_id = p_run;
  RETURN true;
END
$threadkeep$;

-- Tombstones of threads from which nothing was deleted for so long; at most p_limit. They are passed
-- by their time, so that dead rows which an old snapshot sees are not read again. False when no more
-- is due.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_purge_tombstones(
  p_run bigint, p_limit integer)
RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_before timestamptz := now() - {schema}threadkeep_retention_duration(
    {schema}threadkeep_retention_keep_time('tombstones'));
  v_after timestamptz;
  v_gone bigint;
BEGIN
  SELECT coalesce(after_time, '-infinity') INTO v_after
  FROM {schema}threadkeep_retention_runs WHERE run_id = p_run;
  WITH due AS MATERIALIZED (
    SELECT t.thread_id FROM {schema}threadkeep_tombstones AS t
    WHERE t.deleted_at >= v_after AND t.deleted_at < v_before
    ORDER BY t.deleted_at LIMIT p_limit FOR UPDATE SKIP LOCKED
  ),
  gone AS (
    DELETE FROM {schema}threadkeep_tombstones AS t
    USING due WHERE t.thread_id = due.thread_id
      -- Its late writes wait for a thread that was busy.
      AND NOT EXISTS (SELECT FROM {schema}threadkeep_retention_garbage AS g
                      WHERE g.thread_id = t.thread_id)
    RETURNING t.deleted_at
  )
  SELECT count(*), max(deleted_at) INTO v_gone, v_after FROM gone;
  IF v_gone = 0 THEN
    RETURN false;
  END IF;
  INSERT INTO {schema}threadkeep_retention_audit (run_id, action, reason, threads)
  VALUES (p_run, 'purge', 'tombstones', v_gone);
  UPDATE {schema}threadkeep_retention_runs
  SET tombstones = tombstones + v_gone, after_time = v_after
  WHERE run_id = p_run;
  RETURN true;
END
$threadkeep$;

-- Entries of the audit, and runs that were over, before a time: the oldest up to the first that
-- stays.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_old_audit(p_before timestamptz)
RETURNS SETOF bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  SELECT a.audit_id FROM {schema}threadkeep_retention_audit AS a
  WHERE p_before IS NOT NULL AND a.audit_id < coalesce((
    SELECT stays.audit_id FROM {schema}threadkeep_retention_audit AS stays
    WHERE stays.at >= p_before ORDER BY stays.audit_id LIMIT 1), 9223372036854775807)
  ORDER BY a.audit_id
$threadkeep$;

CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_old_runs(p_before timestamptz)
RETURNS SETOF bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  SELECT r.run_id FROM {schema}threadkeep_retention_runs AS r
  WHERE p_before IS NOT NULL AND r.run_id < coalesce((
    SELECT stays.run_id FROM {schema}threadkeep_retention_runs AS stays
    WHERE stays.finished_at IS NULL OR stays.finished_at >= p_before
    ORDER BY stays.run_id LIMIT 1), 9223372036854775807)
  ORDER BY r.run_id
$threadkeep$;

-- Some of these; false when there are none.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_purge_notes(p_run bigint, p_limit integer)
RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_before timestamptz := now() - {schema}threadkeep_retention_duration(
    {schema}threadkeep_retention_keep_time('audit'));
  v_gone bigint;
BEGIN
  WITH entry AS (
    DELETE FROM {schema}threadkeep_retention_audit AS a
    WHERE a.audit_id IN (
      SELECT * FROM {schema}threadkeep_retention_old_audit(v_before) LIMIT p_limit)
    RETURNING 1
  ),
  run AS (
    DELETE FROM {schema}threadkeep_retention_runs AS r
    WHERE r.run_id IN (
      SELECT * FROM {schema}threadkeep_retention_old_runs(v_before) LIMIT p_limit)
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM run) INTO v_gone;
  UPDATE {schema}threadkeep_retention_runs SET notes = notes + v_gone
  WHERE run_id = p_run AND v_gone > 0;
  RETURN v_gone > 0;
END
$threadkeep$;

-- The threads that the next step takes from: up to p_limit threads are looked at, and threads are
-- taken until p_limit checkpoints are due, 250 threads at most, because each takes a lock of the
-- server. p_looked is 0 at the end of a phase; p_next is the last thread that was passed.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_next_due(
  p_phase integer, p_after text, p_limit integer, p_policies jsonb,
  OUT p_due text[], OUT p_looked integer, OUT p_next text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_threads text[];
  v_taken bigint := 0;
  v_all boolean;
BEGIN
  p_due := '{}';
  p_looked := 0;
  p_next := p_after;
  -- A few threads at a time: who decides about many only to take the first ones does it again soon.
  LOOP
    v_threads := ARRAY(
      SELECT * FROM {schema}threadkeep_retention_next_threads(
        p_phase, p_next, least(p_limit, 50)));
    EXIT WHEN v_threads = '{}';
    p_looked := p_looked + cardinality(v_threads);
    SELECT p_due || coalesce(array_agg(due.thread_id ORDER BY due.place) FILTER (WHERE due.fits), '{}'),
           v_taken + coalesce(sum(due.checkpoints) FILTER (WHERE due.fits), 0),
           coalesce(bool_and(due.fits), true),
           CASE WHEN coalesce(bool_and(due.fits), true) THEN v_threads[cardinality(v_threads)]
                ELSE coalesce((array_agg(due.thread_id ORDER BY due.place DESC)
                                 FILTER (WHERE due.fits))[1], p_next)
           END
    INTO p_due, v_taken, v_all, p_next
    FROM (
      SELECT d.thread_id, d.place, d.checkpoints,
             cardinality(p_due) + row_number() OVER (ORDER BY d.place) <= 250
               AND v_taken + sum(d.checkpoints) OVER (ORDER BY d.place) - d.checkpoints < p_limit
               AS fits
      FROM (
        SELECT t.thread_id, t.place,
               sum(CASE WHEN v.checkpoint_id IS NULL
                        THEN (SELECT count(*) FROM {schema}checkpoints AS c
                              WHERE c.thread_id = t.thread_id)
                        ELSE 1 END) AS checkpoints
        FROM unnest(v_threads) WITH ORDINALITY AS t (thread_id, place)
        JOIN {schema}threadkeep_retention_decide(v_threads, p_policies, now()) AS v
          ON v.thread_id = t.thread_id
        WHERE p_phase = 0
          OR NOT EXISTS (SELECT FROM {schema}checkpoints AS c WHERE c.thread_id = t.thread_id)
        GROUP BY t.thread_id, t.place
      ) AS d
    ) AS due;
    EXIT WHEN NOT v_all OR v_taken >= p_limit OR cardinality(p_due) >= 250 OR p_looked >= p_limit;
  END LOOP;
END
$threadkeep$;

-- The run, which must be alive and stays so for a while; its row is locked.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_renew(p_run bigint, p_lease interval)
RETURNS {schema}threadkeep_retention_runs LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
DECLARE
  v_run {schema}threadkeep_retention_runs%ROWTYPE;
BEGIN
  UPDATE {schema}threadkeep_retention_runs
  SET alive_until = clock_timestamp() + p_lease
  WHERE run_id = p_run AND state = 'running'
  RETURNING * INTO v_run;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'run % has lost its lease', p_run USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN v_run;
END
$threadkeep$;

-- One bounded step of a run. A thread goes as a whole. Where p_seen is given, only threads go that
-- it has and that are as it says. True when the run has come to its end.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_step(
  p_run bigint, p_limit integer, p_policies jsonb, p_seen jsonb, p_archive text)
RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_limit integer := least(greatest(p_limit, 1), 10000);
  v_run {schema}threadkeep_retention_runs%ROWTYPE :=
    {schema}threadkeep_retention_renew(p_run, '1 minute');
  v_due text[];
  v_looked integer;
  v_after text;
BEGIN
  -- Where nothing was due when the program looked, there is no archive, and nothing goes.
  IF (p_seen IS NULL OR p_seen <> '{}' AND p_archive IS NULL)
      AND {schema}threadkeep_retention_archive_required() THEN
    RAISE EXCEPTION 'nothing may go from this store without an archive'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'threadkeep retention sweep --yes --archive DIRECTORY';
  END IF;
  IF v_run.phase = 2 THEN
    IF NOT {schema}threadkeep_retention_collect(p_run, least(v_limit, 250), v_run.kind) THEN
      UPDATE {schema}threadkeep_retention_runs SET phase = 3 WHERE run_id = p_run;
    END IF;
    RETURN false;
  END IF;
  IF v_run.phase = 3 THEN
    RETURN NOT {schema}threadkeep_retention_purge_tombstones(p_run, v_limit)
      AND NOT {schema}threadkeep_retention_purge_notes(p_run, v_limit);
  END IF;
  SELECT next.p_due, next.p_looked, next.p_next INTO v_due, v_looked, v_after
  FROM {schema}threadkeep_retention_next_due(
    v_run.phase, v_run.after_thread, v_limit, p_policies) AS next;
  IF v_looked = 0 THEN
    UPDATE {schema}threadkeep_retention_runs
    SET phase = phase + 1, after_thread = NULL
    WHERE run_id = p_run;
    RETURN false;
  END IF;
  PERFORM {schema}threadkeep_retention_remove(
    p_run, v_due, p_policies, v_run.kind, p_seen, p_archive);
  UPDATE {schema}threadkeep_retention_runs
  SET after_thread = v_after, alive_until = clock_timestamp() + interval '1 minute'
  WHERE run_id = p_run;
  RETURN false;
END
$threadkeep$;
