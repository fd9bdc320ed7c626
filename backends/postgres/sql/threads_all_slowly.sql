-- As threads_all.sql while the index that setup() builds is missing: the order of the primary key
-- is not that of bytes, so that every page skips over all threads there are.
skip AS (
  (SELECT thread_id FROM {schema}checkpoints ORDER BY thread_id LIMIT 1)
  UNION ALL
  SELECT (SELECT thread_id FROM {schema}checkpoints AS next
          WHERE next.thread_id > skip.thread_id ORDER BY next.thread_id LIMIT 1)
  FROM skip
  WHERE skip.thread_id IS NOT NULL
), page AS MATERIALIZED (
  (SELECT thread_id COLLATE "C" AS thread_id FROM skip WHERE thread_id COLLATE "C" > $1::text)
  UNION
  (SELECT thread_id FROM {schema}threadkeep_threads
   WHERE thread_id > $1::text ORDER BY thread_id LIMIT $2::bigint)
  ORDER BY thread_id LIMIT $2::bigint
)
