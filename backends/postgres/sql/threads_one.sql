-- The one named $1, which is listed like the others: when it has a row or a checkpoint.
page AS MATERIALIZED (
  (SELECT thread_id FROM {schema}threadkeep_threads WHERE thread_id = $1::text LIMIT $2::bigint)
  UNION
  (SELECT $1::text COLLATE "C" AS thread_id
   WHERE EXISTS (SELECT FROM {schema}checkpoints WHERE thread_id = $1::text))
  LIMIT $2::bigint
)
