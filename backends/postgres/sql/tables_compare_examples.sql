-- SPDX-License-Identifier: Apache-2.0
-- The first of them, with the names ($1) of the columns that differ. $2 says how many.
SELECT CASE WHEN {absent} THEN 'missing' ELSE 'different' END || ' (' || {key_text} || ')'
       || CASE WHEN {absent} THEN '' ELSE ': ' || concat_ws(', ', {differing}) END
FROM {stage} AS s LEFT JOIN {rows} AS t ON {match}
WHERE {absent} OR {differs}
ORDER BY {key}
-- A table that is all key has no columns that differ, and $1 needs a type all the same.
LIMIT CASE WHEN $1::text[] IS NULL THEN 0 ELSE $2::integer END
