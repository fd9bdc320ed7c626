-- SPDX-License-Identifier: Apache-2.0
-- The foreign keys of all schemas that refer to table $2 of schema $1, or to a partition of it.
SELECT n.nspname, c.relname, c.relkind = 'p', n.nspname = $1::text,
       array_to_json(k.names)::text, array_to_json(k.targets)::text
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid)
CROSS JOIN LATERAL (
  SELECT array_agg(a.attname::text ORDER BY p.position),
         array_agg(b.attname::text ORDER BY p.position)
  FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS p (ours, theirs, position)
  JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = p.ours
  JOIN pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = p.theirs
) AS k (names, targets)
WHERE f.contype = 'f' AND f.conparentid = 0 AND t.relname = $2::text
  AND t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", f.conname::text COLLATE "C"
