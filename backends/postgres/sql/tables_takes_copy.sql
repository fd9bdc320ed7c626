-- SPDX-License-Identifier: Apache-2.0
-- Whether COPY puts rows into table $2 of schema $1 as INSERT would: there is nothing that only one
-- of them heeds (rules, row security), nor a trigger that might hold rows back. COPY gives their
-- defaults to the columns $3, so they must have none.
WITH wanted AS (SELECT to_regclass(format('%I.%I', $1::text, $2::text)) AS place)
SELECT NOT EXISTS (
  SELECT FROM wanted AS w JOIN pg_class AS c ON c.oid = w.place
  WHERE c.relhasrules OR c.relrowsecurity OR c.relkind NOT IN ('r', 'p')
) AND NOT EXISTS (
  SELECT FROM wanted AS w JOIN pg_trigger AS g
    ON g.tgrelid = w.place OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(w.place))
  WHERE NOT g.tgisinternal
) AND NOT EXISTS (
  SELECT FROM wanted AS w JOIN pg_attribute AS a ON a.attrelid = w.place
  JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE a.attname = ANY ($3::text[])
    AND (a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL)
)
