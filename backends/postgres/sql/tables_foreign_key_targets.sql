-- SPDX-License-Identifier: Apache-2.0
-- Where foreign key $3 of table $2 in schema $1 points to, and whether that is a partitioned table.
SELECT n.nspname, t.relname, t.relkind = 'p'
FROM pg_constraint AS f
JOIN pg_class AS t ON t.oid = f.confrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND f.conname = $3::text
  AND f.conrelid = to_regclass(format('%I.%I', $1::text, $2::text))
