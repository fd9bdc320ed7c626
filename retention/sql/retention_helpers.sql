-- SPDX-License-Identifier: Apache-2.0
-- Small functions that the others are made of.

-- Of version 1, which knew nothing of archives.
DROP FUNCTION IF EXISTS {schema}threadkeep_retention_batch(bigint, integer);
DROP FUNCTION IF EXISTS {schema}threadkeep_retention_step(bigint, integer, jsonb);
DROP FUNCTION IF EXISTS {schema}threadkeep_retention_remove(bigint, text[], jsonb, text);
-- Of version 2, whose batch told less.
DROP FUNCTION IF EXISTS {schema}threadkeep_retention_batch(bigint, integer, jsonb, text);

-- Seconds; null is off. What C++ writes is a number and a unit, anything else is an error.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_duration(p_text text)
RETURNS interval LANGUAGE sql IMMUTABLE AS $threadkeep$
  SELECT CASE WHEN p_text NOT IN ('0', 'off') THEN make_interval(secs =>
    left(p_text, -1)::bigint * CASE right(p_text, 1)
      WHEN 's' THEN 1 WHEN 'm' THEN 60 WHEN 'h' THEN 3600 WHEN 'd' THEN 86400 WHEN 'w' THEN 604800
    END)
  END
$threadkeep$;

-- For how long 'tombstones' or the 'audit' stay, as it is stored or else by default: "30d" or "off".
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_keep_time(p_name text)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
  SELECT coalesce((SELECT value FROM {schema}threadkeep_retention_settings WHERE name = p_name),
                  CASE p_name WHEN 'tombstones' THEN '30d' WHEN 'audit' THEN '365d' END)
$threadkeep$;

-- The pattern of LIKE for a pattern of ours: `*` is any run, `[*]` a star.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_like(p_pattern text)
RETURNS text LANGUAGE sql IMMUTABLE AS $threadkeep$
  SELECT replace(replace(replace(replace(replace(coalesce(p_pattern, '*'),
    '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '[%]', '*')
$threadkeep$;

-- A time that somebody wrote as text; null when it is none. Without a zone it is UTC.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_read_time(p_text text)
RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
AS $threadkeep$
BEGIN
  IF p_text ~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?$' THEN
    RETURN p_text::timestamptz;
  END IF;
  RETURN NULL;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$threadkeep$;

-- When a checkpoint was made: by `ts` in its document, else by an id that is a UUID of version 6
-- (100 ns since 1582-10-15), else nobody knows. A time before 2000 is a clock that was not set.
-- What LangGraph writes is read here, which is quicker.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_time(p_document jsonb, p_id text)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $threadkeep$
DECLARE
  v_text text := p_document ->> 'ts';
  v_time timestamptz;
BEGIN
  IF v_text ~ '^2\d\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?\+00:00$' THEN
    RETURN v_text::timestamptz;
  END IF;
  v_time := {schema}threadkeep_retention_read_time(v_text);
  IF v_time >= timestamptz '2000-01-01 00:00:00+00' THEN
    RETURN v_time;
  END IF;
  IF p_id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-6[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' THEN
    v_time := timestamptz '1970-01-01 00:00:00+00' + make_interval(secs => floor(
      (('x' || lpad(left(p_id, 8) || substr(p_id, 10, 4) || substr(p_id, 16, 3), 16, '0'))
        ::bit(64)::bigint - 122192928000000000) / 10.0) / 1000000);
  END IF;
  IF v_time >= timestamptz '2000-01-01 00:00:00+00' THEN
    RETURN v_time;
  END IF;
  RETURN NULL;
END
$threadkeep$;

-- The advisory lock of a thread, as every writer takes it: FNV-1a of the schema, a NUL and the
-- thread, then the finaliser of MurmurHash3. bigint has a sign and no wrap-around, so the hash is
-- two halves of 32 bits; its prime is 2^40 + 435.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_lock_key(p_thread_id text)
RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $threadkeep$
DECLARE
  v_bytes bytea;
  v_high bigint := 3421674724;
  v_low bigint := 2216829733;
  v_product bigint;
  v_hash numeric;
BEGIN
  SELECT convert_to(n.nspname, 'UTF8') || '\x00'::bytea || convert_to(p_thread_id, 'UTF8')
  INTO STRICT v_bytes
  FROM {schema}threadkeep_modules AS m
  JOIN pg_class AS c ON c.oid = m.tableoid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE m.name = 'retention';
  FOR i IN 0 .. length(v_bytes) - 1 LOOP
    v_low := v_low # get_byte(v_bytes, i);
    v_product := v_low * 435;
    v_high := (v_high * 435 + (v_low << 8) + (v_product >> 32)) & 4294967295;
    v_low := v_product & 4294967295;
  END LOOP;
  FOREACH v_hash IN ARRAY ARRAY[18397679294719823053, 14181476777654086739]::numeric[] LOOP
    v_low := v_low # (v_high >> 1);
    v_hash := mod((v_high::numeric * 4294967296 + v_low) * v_hash, 18446744073709551616);
    v_high := div(v_hash, 4294967296)::bigint;
    v_low := mod(v_hash, 4294967296)::bigint;
  END LOOP;
  v_low := v_low # (v_high >> 1);
  RETURN (v_high << 32) | v_low;
END
$threadkeep$;

-- Something that is another one as soon as anybody stores anything in the thread or deletes from it:
-- which versions of its rows there are. Messages and state count in the row of the thread. Of what
-- two readers see of a thread, the same is equal also where rows have no times.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_fingerprint(p_thread_id text)
RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
  SELECT md5(coalesce(string_agg(version.text, ' ' ORDER BY version.text), '')) FROM (
    SELECT format('t %s %s', t.xmin, t.ctid) AS text
    FROM {schema}threadkeep_threads AS t WHERE t.thread_id = p_thread_id
    UNION ALL
    SELECT format('c %s %s', c.xmin, c.ctid)
    FROM {schema}checkpoints AS c WHERE c.thread_id = p_thread_id
    UNION ALL
    SELECT format('w %s %s', w.xmin, w.ctid)
    FROM {schema}checkpoint_writes AS w WHERE w.thread_id = p_thread_id
    UNION ALL
    SELECT format('b %s %s', b.xmin, b.ctid)
    FROM {schema}checkpoint_blobs AS b WHERE b.thread_id = p_thread_id
  ) AS version
$threadkeep$;

-- The next threads after one, in the order of an index: those with checkpoints (phase 0), then
-- those that have only a row of their own (phase 1). Passing what was seen by its key instead of
-- reading from the start is what keeps a sweep linear while an old snapshot keeps dead rows.
CREATE OR REPLACE FUNCTION {schema}threadkeep_retention_next_threads(
  p_phase integer, p_after text, p_limit integer)
RETURNS SETOF text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $threadkeep$
DECLARE
  v_after text := p_after;
  v_found integer := 0;
BEGIN
  IF p_phase = 1 THEN
    RETURN QUERY
      SELECT t.thread_id::text FROM {schema}threadkeep_threads AS t
      WHERE p_after IS NULL OR t.thread_id > p_after
      ORDER BY t.thread_id LIMIT p_limit;
    RETURN;
  END IF;
  WHILE p_limit IS NULL OR v_found < p_limit LOOP
    IF v_after IS NULL THEN
      SELECT c.thread_id INTO v_after FROM {schema}checkpoints AS c ORDER BY c.thread_id LIMIT 1;
    ELSE
      SELECT c.thread_id INTO v_after FROM {schema}checkpoints AS c
      WHERE c.thread_id > v_after ORDER BY c.thread_id LIMIT 1;
    END IF;
    EXIT WHEN NOT FOUND;
    RETURN NEXT v_after;
    v_found := v_found + 1;
  END LOOP;
END
$threadkeep$;
