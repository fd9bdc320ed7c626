-- SPDX-License-Identifier: Apache-2.0
-- The $6 largest threads in samples of $1 ... $5 per million of the pages of checkpoints, blobs,
-- writes, messages and documents, by the bytes that their values take as they are stored.
SELECT thread_id, round(sum(checkpoints))::bigint, round(sum(bytes))::bigint AS bytes
FROM (
  SELECT thread_id COLLATE "C" AS thread_id, 100 / ($1::bigint / 1e4) AS checkpoints,
         (pg_column_size(checkpoint) + pg_column_size(metadata)) * 100 / ($1::bigint / 1e4) AS bytes
  FROM {schema}checkpoints TABLESAMPLE SYSTEM ($1::bigint / 1e4)
  UNION ALL
  SELECT thread_id COLLATE "C", 0, coalesce(pg_column_size(blob), 0) * 100 / ($2::bigint / 1e4)
  FROM {schema}checkpoint_blobs TABLESAMPLE SYSTEM ($2::bigint / 1e4)
  UNION ALL
  SELECT thread_id COLLATE "C", 0, pg_column_size(blob) * 100 / ($3::bigint / 1e4)
  FROM {schema}checkpoint_writes TABLESAMPLE SYSTEM ($3::bigint / 1e4)
  UNION ALL
  SELECT thread_id, 0,
         (pg_column_size(content) + pg_column_size(metadata)) * 100 / ($4::bigint / 1e4)
  FROM {schema}threadkeep_messages TABLESAMPLE SYSTEM ($4::bigint / 1e4)
  UNION ALL
  SELECT thread_id, 0, pg_column_size(value) * 100 / ($5::bigint / 1e4)
  FROM {schema}threadkeep_state TABLESAMPLE SYSTEM ($5::bigint / 1e4)
) AS rows
GROUP BY thread_id
ORDER BY bytes DESC, thread_id
LIMIT $6::bigint
