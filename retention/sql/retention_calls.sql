-- SPDX-License-Identifier: Apache-2.0
-- What people and programs call.

-- What the next batch of a run would take from, and how these threads are now, for programs that
-- archive them and hand this to batch(). The run has ten minutes for that.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_look(p_run bigint, p_limit integer)
RETURNS TABLE (thread_id text, fingerprint text) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $threadkeep$
DECLARE
  v_run {schema}threadkeep_retention_runs%ROWTYPE :=
    {schema}threadkeep_retention_renew(p_run, '10 minutes');
BEGIN
  IF v_run.phase < 2 THEN
    RETURN QUERY
      SELECT due.thread_id, {schema}threadkeep_retention_fingerprint(due.thread_id)
      FROM unnest((
        SELECT next.p_due FROM {schema}threadkeep_retention_next_due(
          v_run.phase, v_run.after_thread, least(greatest(p_limit, 1), 10000),
          {schema}threadkeep_retention_stored_policies()) AS next)) AS due (thread_id);
  END IF;
END
$threadkeep$;

-- step() with the stored policies, whose number it tells, and what the run has done until now. An
-- error ends the run and comes back as text, so that finish() can record it. p_seen (an object of
-- fingerprints by threads) and p_archive are of those who archive; else null.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_batch(
  p_run bigint, p_limit integer, p_seen jsonb, p_archive text, OUT done boolean, OUT error text,
  OUT policies integer, OUT threads bigint, OUT checkpoints bigint, OUT writes bigint,
  OUT bytes bigint, OUT busy bigint, OUT collected bigint, OUT tombstones bigint,
  OUT notes bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $threadkeep$
DECLARE
  v_policies jsonb := {schema}threadkeep_retention_stored_policies();
BEGIN
  policies := jsonb_array_length(v_policies);
  BEGIN
    done := {schema}threadkeep_retention_step(p_run, p_limit, v_policies, p_seen, p_archive);
  EXCEPTION WHEN OTHERS THEN
    done := true;
    error := SQLERRM || ' (' || SQLSTATE || ')';
  END;
  SELECT run.threads, run.checkpoints, run.writes, run.bytes, run.busy, run.collected,
         run.tombstones, run.notes
  INTO threads, checkpoints, writes, bytes, busy, collected, tombstones, notes
  FROM {schema}threadkeep_retention_runs AS run WHERE run.run_id = p_run;
END
$threadkeep$;

-- What the run did, in words.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_finish(
  p_run bigint, p_done boolean, p_error text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $threadkeep$
DECLARE
  v_run {schema}threadkeep_retention_runs%ROWTYPE;
BEGIN
  UPDATE {schema}threadkeep_retention_runs
  SET state = CASE WHEN p_error IS NOT NULL THEN 'failed' WHEN p_done THEN 'done' ELSE 'paused' END,
      finished_at = clock_timestamp(), error = p_error
  WHERE run_id = p_run AND state = 'running'
  RETURNING * INTO v_run;
  IF NOT FOUND THEN
    RETURN format('run %s is over already', p_run);
  END IF;
  RETURN format(
    'run %s %s: took checkpoints from %s threads (%s checkpoints, %s writes), collected %s blobs, '
    'passed over %s busy threads%s%s%s', p_run, v_run.state, v_run.threads, v_run.checkpoints,
    v_run.writes, v_run.collected, v_run.busy,
    CASE WHEN v_run.tombstones > 0
         THEN format(', removed %s old tombstones', v_run.tombstones) ELSE '' END,
    CASE WHEN v_run.notes > 0 THEN format(', removed %s old notes', v_run.notes) ELSE '' END,
    CASE WHEN NOT EXISTS (SELECT FROM {schema}threadkeep_retention_policies)
         THEN '; no policy is stored, so only expires_at counts' ELSE '' END);
END
$threadkeep$;

-- What a sweep that came to its end would remove besides, were these times ("30d", "off") stored;
-- null for those that are. Notes are entries of the audit, and runs.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_leftovers(
  p_tombstones text DEFAULT NULL, p_audit text DEFAULT NULL, OUT tombstones bigint,
  OUT notes bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
  SELECT (SELECT count(*) FROM {schema}threadkeep_tombstones AS t
          WHERE t.deleted_at < now() - {schema}threadkeep_retention_duration(
            coalesce(p_tombstones, {schema}threadkeep_retention_keep_time('tombstones')))),
         (SELECT count(*) FROM {schema}threadkeep_retention_old_audit(before.time))
           + (SELECT count(*) FROM {schema}threadkeep_retention_old_runs(before.time))
  FROM (SELECT now() - {schema}threadkeep_retention_duration(
          coalesce(p_audit, {schema}threadkeep_retention_keep_time('audit')))) AS before (time)
$threadkeep$;

-- Sweeps until nothing is due or the time is over. To be called at the top level, not in a
-- transaction: it commits after each batch.
CREATE OR REPLACE PROCEDURE {schema}threadkeep_retention_sweep(
  time_budget interval DEFAULT '10 minutes', batch_size integer DEFAULT 1000)
LANGUAGE plpgsql
AS $threadkeep$
DECLARE
  v_until timestamptz := pg_catalog.clock_timestamp() + time_budget;
  v_run bigint := {schema}threadkeep_retention_begin();
  v_done boolean := false;
  v_error text;
  v_summary text;
BEGIN
  COMMIT;
  IF v_run IS NULL THEN
    RAISE NOTICE 'another sweep is under way: nothing done';
    RETURN;
  END IF;
  WHILE NOT v_done AND pg_catalog.clock_timestamp() < v_until LOOP
    SELECT b.done, b.error INTO v_done, v_error
    FROM {schema}threadkeep_retention_batch(v_run, batch_size, NULL, NULL) AS b;
    COMMIT;
  END LOOP;
  v_summary := {schema}threadkeep_retention_finish(v_run, v_done, v_error);
  COMMIT;
  IF v_error IS NOT NULL THEN
    RAISE EXCEPTION 'run % failed: %', v_run, v_error;
  END IF;
  RAISE NOTICE '%', v_summary;
END
$threadkeep$;

-- For those who look for a function of this name: takes away threads that nothing was stored in for
-- so long, 2,000 at most in one call, and collects blobs; the number of checkpoints that went. Obeys
-- pins, holds and expires_at, and no stored policy.
CREATE OR REPLACE FUNCTION {schema}langgraph_cleanup_old_data(
  older_than interval DEFAULT '7 days')
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
AS $threadkeep$
DECLARE
  v_seconds bigint := extract(epoch FROM older_than)::bigint;
  v_run bigint;
  v_done boolean := false;
BEGIN
  IF v_seconds IS NULL OR v_seconds < 3600 THEN
    RAISE EXCEPTION 'older_than is %: it must be an hour or more', older_than
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  v_run := {schema}threadkeep_retention_begin('langgraph_cleanup_old_data');
  IF v_run IS NULL THEN
    RAISE EXCEPTION 'another sweep is under way' USING ERRCODE = 'object_in_use';
  END IF;
  LOOP
    v_done := {schema}threadkeep_retention_step(v_run, 1000, jsonb_build_array(jsonb_build_object(
      'name', 'langgraph_cleanup_old_data', 'idle', v_seconds || 's')), NULL, NULL);
    EXIT WHEN v_done OR (SELECT count(*) FROM pg_locks
                         WHERE pid = pg_backend_pid() AND locktype = 'advisory') > 1750;
  END LOOP;
  PERFORM {schema}threadkeep_retention_finish(v_run, v_done);
  RETURN (SELECT run.checkpoints FROM {schema}threadkeep_retention_runs AS run
          WHERE run.run_id = v_run);
END
$threadkeep$;

-- Sets or takes away a pin or a hold, behind the lock that a sweep takes: when this is over no sweep
-- takes from the thread on grounds of before. False when it was so already.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_mark(
  p_thread_id text, p_kind text, p_name text, p_set boolean)
RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
DECLARE
  v_changed boolean;
BEGIN
  PERFORM pg_advisory_xact_lock_shared({schema}threadkeep_retention_lock_key(p_thread_id));
  IF p_set THEN
    INSERT INTO {schema}threadkeep_retention_marks (thread_id, kind, name)
    VALUES (p_thread_id, p_kind, p_name) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM {schema}threadkeep_retention_marks
    WHERE thread_id = p_thread_id AND kind = p_kind AND name = p_name;
  END IF;
  v_changed := FOUND;
  IF v_changed THEN
    INSERT INTO {schema}threadkeep_retention_audit (action, reason, thread_id)
    VALUES (CASE WHEN p_set THEN p_kind WHEN p_kind = 'pin' THEN 'unpin' ELSE 'release' END,
            p_name, p_thread_id);
  END IF;
  RETURN v_changed;
END
$threadkeep$;

-- Sets the time of a thread, or takes it away with null. Likewise behind the lock.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_expire(
  p_thread_id text, p_expires_at timestamptz)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
BEGIN
  PERFORM pg_advisory_xact_lock_shared({schema}threadkeep_retention_lock_key(p_thread_id));
  IF p_expires_at IS NULL THEN
    DELETE FROM {schema}threadkeep_retention_expiry WHERE thread_id = p_thread_id;
  ELSE
    INSERT INTO {schema}threadkeep_retention_expiry (thread_id, expires_at)
    VALUES (p_thread_id, p_expires_at)
    ON CONFLICT (thread_id) DO UPDATE SET
      expires_at = excluded.expires_at, set_at = now(), set_by = session_user;
  END IF;
  INSERT INTO {schema}threadkeep_retention_audit (action, thread_id)
  VALUES (CASE WHEN p_expires_at IS NULL THEN 'never expire' ELSE 'expire' END, p_thread_id);
END
$threadkeep$;

-- Replaces all policies; running sweeps see the new ones in their next batch.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_apply(p_policies jsonb)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
BEGIN
  LOCK TABLE {schema}threadkeep_retention_policies IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM {schema}threadkeep_retention_policies;
  INSERT INTO {schema}threadkeep_retention_policies (position, policy)
  SELECT position, value FROM jsonb_array_elements(p_policies) WITH ORDINALITY AS p (value, position);
  INSERT INTO {schema}threadkeep_retention_audit (action, policy)
  VALUES ('apply', p_policies::text);
END
$threadkeep$;

CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_require_archive(p_required boolean)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
DECLARE
  v_value text := CASE WHEN p_required THEN 'required' ELSE 'optional' END;
BEGIN
  INSERT INTO {schema}threadkeep_retention_settings AS setting (name, value)
  VALUES ('archive', v_value)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_at = now(), set_by = session_user
  WHERE setting.value <> excluded.value;
  IF FOUND THEN
    INSERT INTO {schema}threadkeep_retention_audit (action) VALUES ('archive ' || v_value);
  END IF;
END
$threadkeep$;

-- For how long tombstones (at least an hour) and the audit (at least a day) stay: "30d" or "off".
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_keep(p_tombstones text, p_audit text)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
BEGIN
  IF {schema}threadkeep_retention_duration(p_tombstones) < interval '1 hour'
      OR {schema}threadkeep_retention_duration(p_audit) < interval '1 day' THEN
    RAISE EXCEPTION 'tombstones have to stay for an hour or more, and the audit for a day or more'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO {schema}threadkeep_retention_settings AS setting (name, value)
  SELECT given.name, given.value
  FROM (VALUES ('tombstones', p_tombstones), ('audit', p_audit)) AS given (name, value)
  WHERE given.value <> {schema}threadkeep_retention_keep_time(given.name)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_at = now(), set_by = session_user;
  IF FOUND THEN
    INSERT INTO {schema}threadkeep_retention_audit (action, reason)
    VALUES ('keep', format('tombstones %s, audit %s', p_tombstones, p_audit));
  END IF;
END
$threadkeep$;

-- For readers: threads of which less than half of their time remains, where that slides, become as
-- young as if something had been stored in them; how many that were. That is what is idle by policies of half
-- the time. Most calls end without a lock. A thread that a sweep is at is passed over.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_refresh(p_threads text[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_policies jsonb;
  v_shortest interval;
  v_threads text[];
  v_renewed bigint;
BEGIN
  SELECT jsonb_agg(p.policy || jsonb_build_object(
           'idle', coalesce(extract(epoch FROM half.time)::bigint || 's', 'off'),
           'age', 'off', 'keep_last', 'off') ORDER BY p.position),
         min(half.time)
  INTO v_policies, v_shortest
  FROM {schema}threadkeep_retention_policies AS p
  CROSS JOIN LATERAL {schema}threadkeep_retention_duration(p.policy ->> 'idle') AS whole (time)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN whole.time IS NOT NULL AND p.policy ->> 'expiry' IS DISTINCT FROM 'fixed'
                THEN greatest(date_trunc('second', whole.time / 2), interval '1 second') END
  ) AS half (time);
  v_threads := ARRAY(
    SELECT given.thread_id FROM unnest(p_threads) AS given (thread_id)
    WHERE NOT EXISTS (SELECT FROM {schema}threadkeep_threads AS t
                      WHERE t.thread_id = given.thread_id AND t.updated_at >= now() - v_shortest));
  IF v_shortest IS NULL OR v_threads = '{}' THEN
    RETURN 0;
  END IF;
  v_threads := ARRAY(
    SELECT due.thread_id
    FROM {schema}threadkeep_retention_decide(v_threads, v_policies, now()) AS due
    WHERE due.reason = 'idle'
      AND pg_try_advisory_xact_lock_shared({schema}threadkeep_retention_lock_key(due.thread_id)));
  IF v_threads = '{}' THEN
    RETURN 0;
  END IF;
  -- What LangGraph's saver stores has no row until then.
  INSERT INTO {schema}threadkeep_threads AS thread (thread_id, created_at, updated_at)
  SELECT stale.thread_id, NULL, now()
  FROM unnest(v_threads) AS stale (thread_id)
  WHERE EXISTS (SELECT FROM {schema}checkpoints AS c WHERE c.thread_id = stale.thread_id)
    OR EXISTS (SELECT FROM {schema}threadkeep_threads AS t WHERE t.thread_id = stale.thread_id)
  ORDER BY stale.thread_id
  ON CONFLICT (thread_id) DO UPDATE SET updated_at = excluded.updated_at
  WHERE thread.updated_at < excluded.updated_at;
  GET DIAGNOSTICS v_renewed = ROW_COUNT;
  RETURN v_renewed;
END
$threadkeep$;
