-- SPDX-License-Identifier: Apache-2.0
-- Appends messages to a stream of thread $1 and changes its state. `verdict` says what becomes of it:
-- 'store', 'kept' (all messages are there), 'done' (this operation was), or a conflict, with which
-- nothing is written. In doubt whether texts are equal by value the statement fails, and with it its
-- transaction. The thread is locked. $15 has the place in the rows of each message of the caller:
-- one that comes twice is one row.
WITH done AS MATERIALIZED (
  SELECT fingerprint, result FROM {schema}threadkeep_operations
  WHERE thread_id = $1::text AND operation_id = $11::text
),
before AS MATERIALIZED (
  SELECT
    coalesce(
      (SELECT revision FROM {schema}threadkeep_threads WHERE thread_id = $1::text), 0
    ) AS revision,
    coalesce(
      (SELECT last_seq FROM {schema}threadkeep_streams
       WHERE thread_id = $1::text AND stream = $10::text), 0
    ) AS last_seq
),
-- Those that are new are numbered, the others have what is stored.
message AS MATERIALIZED (
  SELECT
    given.place, given.id, given.role, given.metadata, given.content,
    stored.seq IS NULL AS is_new,
    coalesce(
      stored.seq,
      (SELECT last_seq FROM before)
        + count(*) FILTER (WHERE stored.seq IS NULL) OVER (ORDER BY given.place)
    ) AS seq,
    coalesce(stored.created_at, $8::timestamptz) AS created_at,
    coalesce(stored.version, 1) AS version,
    stored.stream = $10::text AND stored.role = given.role
      AND stored.metadata = given.metadata AND stored.content = given.content AS is_same
  FROM ({rows}) AS given (place, id, role, metadata, content)
  LEFT JOIN LATERAL (
    SELECT stream, seq, role, created_at, version, metadata, content
    FROM {schema}threadkeep_messages
    WHERE thread_id = $1::text AND id = given.id
    LIMIT 1
  ) AS stored ON true
),
{change},
verdict AS MATERIALIZED (
  SELECT CASE
    WHEN EXISTS (SELECT FROM done WHERE fingerprint = $12::bigint) THEN 'done'
    WHEN EXISTS (SELECT FROM done) THEN 'operation'
    WHEN $14::boolean THEN 'message'
    WHEN EXISTS (SELECT FROM message WHERE NOT is_same) THEN '{doubt}'
    WHEN NOT EXISTS (SELECT FROM message WHERE is_new) THEN 'kept'
    WHEN $13::bigint <> (SELECT revision FROM before) THEN 'revision'
    WHEN EXISTS (SELECT FROM change WHERE outcome = 'doubt') THEN '{doubt}'
    WHEN EXISTS (SELECT FROM change WHERE outcome = 'conflict') THEN 'state'
    ELSE 'store'
  END AS verdict
),
written AS MATERIALIZED (
  SELECT CASE WHEN verdict = 'store' THEN
    (SELECT count(*) FROM message WHERE is_new)
      + (SELECT count(*) FROM change WHERE outcome IN ('put', 'erase'))
    ELSE 0
  END AS changed
  FROM verdict
),
-- As encode_written() in session_support.hpp says.
outcome AS MATERIALIZED (
  SELECT
    {revision} AS revision,
    '{"changed":' || changed
      || ',"kept":' || cardinality($15::bigint[]) + cardinality($2::text[]) - changed
      || ',"revision":' || {revision}
      || ',"versions":[' || coalesce((
        SELECT string_agg(
          CASE
            WHEN changed > 0 AND outcome = 'put' THEN version + 1
            WHEN changed > 0 AND outcome = 'erase' THEN 0
            ELSE version
          END::text, ',' ORDER BY place)
        FROM change
      ), '')
      || '],"messages":[' || (
        SELECT string_agg(
          '{"seq":' || message.seq
            || ',"created_at":' || (extract(epoch FROM message.created_at) * 1000000)::bigint
            || ',"version":' || message.version
            || ',"stream":' || to_json($10::text)
            || ',"id":' || to_json(message.id)
            || ',"role":""}', ',' ORDER BY given.number)
        FROM unnest($15::bigint[]) WITH ORDINALITY AS given (place, number)
        JOIN message ON message.place = given.place
      )
      || ']}' AS result
  FROM written
),
stored AS (
  INSERT INTO {schema}threadkeep_messages
    (thread_id, stream, seq, id, role, created_at, version, metadata, content)
  SELECT $1::text, $10::text, seq, id, role, created_at, version, metadata, content
  FROM message
  WHERE is_new AND (SELECT verdict FROM verdict) = 'store'
),
stream AS (
  INSERT INTO {schema}threadkeep_streams (thread_id, stream, last_seq)
  SELECT $1::text, $10::text, max(seq) FROM message
  WHERE is_new AND (SELECT verdict FROM verdict) = 'store'
  HAVING count(*) > 0
  ON CONFLICT (thread_id, stream) DO UPDATE SET last_seq = excluded.last_seq
),
{store_change},
{raise_revision},
{remember}
SELECT
  verdict,
  CASE verdict WHEN '{doubt}' THEN verdict::integer END,
  CASE WHEN verdict = 'done' THEN (SELECT result FROM done) ELSE outcome.result END,
  before.revision,
  conflict.place,
  conflict.version,
  conflict.stored_value
FROM verdict
CROSS JOIN before
CROSS JOIN outcome
LEFT JOIN LATERAL (
  SELECT place, version, stored_value FROM change
  WHERE outcome = 'conflict' AND verdict = 'state'
  ORDER BY place
  LIMIT 1
) AS conflict ON true
