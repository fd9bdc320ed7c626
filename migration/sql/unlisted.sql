-- SPDX-License-Identifier: Apache-2.0
-- Threads after $1, $2 at most, that no listing shows although something is kept for them.
SELECT kept.thread_id
FROM (
  SELECT DISTINCT thread_id COLLATE "C" AS thread_id FROM {schema}checkpoint_writes
  UNION SELECT thread_id FROM {schema}threadkeep_tombstones
  UNION SELECT thread_id FROM {schema}threadkeep_retention_marks
  UNION SELECT thread_id FROM {schema}threadkeep_retention_expiry
) AS kept
WHERE kept.thread_id > $1::text COLLATE "C"
  AND NOT EXISTS (SELECT FROM {schema}threadkeep_threads AS t WHERE t.thread_id = kept.thread_id)
  AND NOT EXISTS (SELECT FROM {schema}checkpoints AS c WHERE c.thread_id COLLATE "C" = kept.thread_id)
ORDER BY kept.thread_id COLLATE "C"
LIMIT $2::text::bigint
