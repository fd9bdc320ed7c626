-- SPDX-License-Identifier: Apache-2.0
-- The rows of samples of $1 ... $8 per million of the tables' pages. When all is looked at ($9),
-- threads are also those of which only checkpoints are known.
SELECT
  CASE WHEN $9::boolean THEN
    (SELECT count(*) FROM (SELECT thread_id COLLATE "C" FROM {schema}threadkeep_threads
                           UNION SELECT thread_id COLLATE "C" FROM {schema}checkpoints) AS ids)
  ELSE (SELECT count(*) FROM {schema}threadkeep_threads TABLESAMPLE SYSTEM ($1::bigint / 1e4)) END,
  (SELECT count(*) FROM {schema}checkpoints TABLESAMPLE SYSTEM ($2::bigint / 1e4)),
  (SELECT count(*) FROM {schema}checkpoint_blobs TABLESAMPLE SYSTEM ($3::bigint / 1e4)),
  (SELECT count(*) FROM {schema}checkpoint_writes TABLESAMPLE SYSTEM ($4::bigint / 1e4)),
  (SELECT count(*) FROM {schema}threadkeep_messages TABLESAMPLE SYSTEM ($5::bigint / 1e4)),
  (SELECT count(*) FROM {schema}threadkeep_streams TABLESAMPLE SYSTEM ($6::bigint / 1e4)),
  (SELECT count(*) FROM {schema}threadkeep_state TABLESAMPLE SYSTEM ($7::bigint / 1e4)),
  (SELECT count(*) FROM {schema}threadkeep_scopes TABLESAMPLE SYSTEM ($8::bigint / 1e4))
