-- SPDX-License-Identifier: Apache-2.0
-- The foreign keys of the tables of schema $1; or where $2 is the name of one of them, those of all
-- schemas that refer to it. What points to a partition points to its whole.
SELECT
  o.nspname,
  c.relname,
  c.relkind = 'p',
  f.conname,
  n.nspname,
  t.relname,
  n.oid = o.oid,
  f.condeferrable,
  array_to_json(k.names)::text,
  array_to_json(k.targets)::text
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
JOIN pg_namespace AS o ON o.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid)
JOIN pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
  SELECT array_agg(a.attname::text ORDER BY p.position),
         array_agg(b.attname::text ORDER BY p.position)
  FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS p (ours, theirs, position)
  JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = p.ours
  JOIN pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = p.theirs
) AS k (names, targets)
WHERE f.contype = 'f' AND f.conparentid = 0
  AND CASE WHEN $2::text IS NULL
        THEN o.nspname = $1::text AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ELSE n.nspname = $1::text AND t.relname = $2::text END
ORDER BY o.nspname::text COLLATE "C", c.relname::text COLLATE "C", f.conname::text COLLATE "C"
