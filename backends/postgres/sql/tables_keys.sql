-- SPDX-License-Identifier: Apache-2.0
-- The unique indexes of the tables of schema $1, those first that name rows best. The third column
-- says whether it can name every row at once: no column can be NULL, and it is checked at once, in
-- the order that the columns have by themselves. Partial ones and expressions are no keys at all.
SELECT
  c.relname,
  array_to_json(k.names)::text,
  i.indimmediate AND k.not_null AND k.plain
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
CROSS JOIN LATERAL (
  SELECT array_agg(a.attname::text ORDER BY n.position), bool_and(a.attnotnull),
         bool_and(a.attcollation = i.indcollation[n.position - 1])
  FROM generate_series(1, i.indnkeyatts) AS n (position)
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.position - 1]
) AS k (names, not_null, plain)
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY c.relname::text COLLATE "C", i.indisprimary DESC, i.indnkeyatts, x.relname::text COLLATE "C"
