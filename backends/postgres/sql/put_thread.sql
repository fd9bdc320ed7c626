-- SPDX-License-Identifier: Apache-2.0
-- Equal metadata changes nothing. See put.sql for the times.
INSERT INTO {schema}threadkeep_threads AS thread
  (thread_id, created_at, updated_at, revision, metadata)
SELECT
  $1::text,
  CASE
    WHEN NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text)
    THEN $3::timestamptz
  END,
  $3::timestamptz,
  CASE WHEN $2::jsonb = '{}' THEN 0 ELSE 1 END,
  $2::jsonb
ON CONFLICT (thread_id) DO UPDATE SET
  updated_at = CASE
    WHEN thread.updated_at <= $4::timestamptz THEN excluded.updated_at
    ELSE thread.updated_at
  END,
  revision = thread.revision + 1,
  metadata = excluded.metadata
WHERE thread.metadata <> excluded.metadata
