page AS MATERIALIZED (
  SELECT $1::text AS thread_id
  WHERE EXISTS (SELECT FROM {schema}threadkeep_threads WHERE thread_id = $1::text)
    OR EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text)
)
