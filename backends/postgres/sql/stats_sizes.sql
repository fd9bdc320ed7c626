-- SPDX-License-Identifier: Apache-2.0
-- The pages of each table of the schema $1, and what it takes with indexes and large values. Null
-- where it is gone.
SELECT pg_relation_size(oid) / current_setting('block_size')::bigint, pg_total_relation_size(oid)
FROM unnest(ARRAY['threadkeep_threads', 'checkpoints', 'checkpoint_blobs', 'checkpoint_writes',
                  'threadkeep_messages', 'threadkeep_streams', 'threadkeep_state',
                  'threadkeep_scopes'])
     WITH ORDINALITY AS name(text, place)
CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', $1::text, name.text)) AS oid) AS found
ORDER BY place
