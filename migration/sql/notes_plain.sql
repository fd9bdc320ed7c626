-- SPDX-License-Identifier: Apache-2.0
-- As notes.sql, where retention is not installed.
SELECT asked.thread_id, t.checkpoint_id, 'false', '[]', NULL
FROM (SELECT value COLLATE "C" AS thread_id, place
      FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS ids(value, place)) AS asked
LEFT JOIN {schema}threadkeep_tombstones AS t ON t.thread_id = asked.thread_id
ORDER BY asked.place
