-- Those with a row, and those of which only checkpoints are known. The latter are found by skipping
-- from one id to the next in an index, so that a page costs as much as it has threads, not
-- checkpoints.
skip AS (
  (SELECT thread_id FROM {schema}checkpoints
   WHERE thread_id{c} > $1::text ORDER BY thread_id{c} LIMIT 1)
  UNION ALL
  SELECT (SELECT thread_id FROM {schema}checkpoints AS next
          WHERE next.thread_id{c} > skip.thread_id ORDER BY next.thread_id{c} LIMIT 1)
  FROM skip
  WHERE skip.thread_id IS NOT NULL
), page AS MATERIALIZED (
  (SELECT thread_id COLLATE "C" AS thread_id FROM skip WHERE thread_id IS NOT NULL LIMIT $2::bigint)
  UNION
  (SELECT thread_id FROM {schema}threadkeep_threads
   WHERE thread_id > $1::text ORDER BY thread_id LIMIT $2::bigint)
  ORDER BY thread_id LIMIT $2::bigint
)
