-- SPDX-License-Identifier: Apache-2.0
-- The rows of samples of $1 ... $4 per million of the tables' pages. When all is looked at ($5),
-- threads are also those of which only checkpoints are known.
SELECT
  CASE WHEN $5::boolean THEN
    (SELECT count(*) FROM (SELECT thread_id COLLATE "C" FROM {schema}threadkeep_threads
                           UNION SELECT thread_id COLLATE "C" FROM {schema}checkpoints) AS ids)
  ELSE (SELECT count(*) FROM {schema}threadkeep_threads TABLESAMPLE SYSTEM ($1::bigint / 1e4)) END,
  (SELECT count(*) FROM {schema}checkpoints TABLESAMPLE SYSTEM ($2::bigint / 1e4)),
  (SELECT count(*) FROM {schema}checkpoint_blobs TABLESAMPLE SYSTEM ($3::bigint / 1e4)),
  (SELECT count(*) FROM {schema}checkpoint_writes TABLESAMPLE SYSTEM ($4::bigint / 1e4))
