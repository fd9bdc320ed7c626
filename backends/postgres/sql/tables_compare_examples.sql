-- SPDX-License-Identifier: Apache-2.0
-- The first of them, with the names ($1) of the columns that differ. $2 says how many.
SELECT CASE WHEN {absent} THEN 'missing' ELSE 'different' END || ' (' || {key_text} || ')'
       || CASE WHEN {absent} THEN '' ELSE ': ' || concat_ws(', ', {differing}) END
FROM {stage} AS s LEFT JOIN {rows} AS t ON {match}
WHERE {absent} OR {differs}
ORDER BY {key}
LIMIT $2::integer
