-- SPDX-License-Identifier: Apache-2.0
-- The first $2 threads after $1. The newest checkpoint of each is looked for in the root namespace,
-- else in all. The way over JSON takes the collation off an id: with it, the index on checkpoints
-- could not be used, whose collation may be another.
WITH RECURSIVE {page}
SELECT page.thread_id, thread.created_at, thread.updated_at, thread.revision, thread.metadata,
       coalesce((SELECT checkpoint_id FROM {schema}checkpoints AS newest
                 WHERE newest.thread_id = id.plain AND newest.checkpoint_ns = ''
                 ORDER BY newest.checkpoint_id{c} DESC LIMIT 1),
                (SELECT max(checkpoint_id{c}) FROM {schema}checkpoints AS other
                 WHERE other.thread_id = id.plain)) AS checkpoint_id
FROM page
CROSS JOIN LATERAL (SELECT to_jsonb(page.thread_id) #>> '{}' AS plain OFFSET 0) AS id
LEFT JOIN LATERAL (
  SELECT created_at, updated_at, revision, metadata FROM {schema}threadkeep_threads
  WHERE thread_id = page.thread_id
  LIMIT 1
) AS thread ON true
ORDER BY page.thread_id;
