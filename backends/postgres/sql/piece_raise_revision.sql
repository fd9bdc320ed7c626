-- Counts a change of the thread and creates it if it is new. See put.sql for the times.
thread AS (
  INSERT INTO {schema}threadkeep_threads AS thread (thread_id, created_at, updated_at, revision)
  SELECT
    $1::text,
    CASE
      WHEN NOT EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text)
      THEN {now}
    END,
    {now},
    1
  WHERE (SELECT changed FROM written) > 0
  ON CONFLICT (thread_id) DO UPDATE SET
    updated_at = CASE
      WHEN thread.updated_at <= {stale} THEN excluded.updated_at
      ELSE thread.updated_at
    END,
    revision = thread.revision + 1
)
