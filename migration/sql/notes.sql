-- SPDX-License-Identifier: Apache-2.0
-- What the store notes about threads. $1: their ids, a JSON array. Times in microseconds since 1970.
SELECT asked.thread_id, t.checkpoint_id,
       EXISTS (SELECT FROM {schema}threadkeep_retention_marks AS m
               WHERE m.thread_id = asked.thread_id AND m.kind = 'pin')::text,
       coalesce((SELECT jsonb_agg(m.name ORDER BY m.name COLLATE "C")
                 FROM {schema}threadkeep_retention_marks AS m
                 WHERE m.thread_id = asked.thread_id AND m.kind = 'hold'), '[]')::text,
       (extract(epoch FROM e.expires_at)::numeric * 1000000)::bigint::text
FROM (SELECT value COLLATE "C" AS thread_id, place
      FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS ids(value, place)) AS asked
LEFT JOIN {schema}threadkeep_tombstones AS t ON t.thread_id = asked.thread_id
LEFT JOIN {schema}threadkeep_retention_expiry AS e ON e.thread_id = asked.thread_id
ORDER BY asked.place
