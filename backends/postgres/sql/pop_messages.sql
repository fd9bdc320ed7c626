-- SPDX-License-Identifier: Apache-2.0
-- Takes the newest $3 messages of stream $2 away from thread $1, fewer above $4 bytes, unless the
-- operation $5 of fingerprint $6 was done before. The thread is locked.
WITH done AS MATERIALIZED (
  SELECT fingerprint, result FROM {schema}threadkeep_operations
  WHERE thread_id = $1::text AND operation_id = $5::text
),
popped AS MATERIALIZED (
  SELECT seq, id, role, created_at, version, metadata, content
  FROM (
    SELECT
      *,
      row_number() OVER (ORDER BY seq DESC) AS place,
      sum({weight}) OVER (ORDER BY seq DESC) AS bytes
    FROM (
      SELECT seq, id, role, created_at, version, metadata, content
      FROM {schema}threadkeep_messages
      WHERE thread_id = $1::text AND stream = $2::text AND NOT EXISTS (SELECT FROM done)
      ORDER BY seq DESC
      LIMIT $3::bigint
    ) AS newest
  ) AS weighed
  WHERE place = 1 OR bytes <= $4::bigint
),
gone AS (
  DELETE FROM {schema}threadkeep_messages
  WHERE thread_id = $1::text AND stream = $2::text AND seq >= (SELECT min(seq) FROM popped)
),
written AS MATERIALIZED (
  SELECT count(*) AS changed FROM popped
),
outcome AS MATERIALIZED (
  SELECT
    {revision} AS revision,
    '{"changed":' || changed || ',"kept":0'
      || ',"revision":' || {revision}
      || ',"versions":[],"messages":[' || coalesce((
        SELECT string_agg(
          '{"seq":' || seq
            || ',"created_at":' || (extract(epoch FROM created_at) * 1000000)::bigint
            || ',"version":' || version
            || ',"stream":' || to_json($2::text)
            || ',"id":' || to_json(id)
            || ',"role":' || to_json(role)
            || ',"content":' || content
            || ',"metadata":' || metadata || '}', ',' ORDER BY seq)
        FROM popped
      ), '')
      || ']}' AS result
  FROM written
),
{raise_revision},
{remember}
SELECT
  CASE
    WHEN fingerprint IS NULL THEN 'store'
    WHEN fingerprint = $6::bigint THEN 'done'
    ELSE 'operation'
  END,
  coalesce(done.result, outcome.result)
FROM outcome
LEFT JOIN done ON true
