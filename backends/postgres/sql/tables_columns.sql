-- SPDX-License-Identifier: Apache-2.0
-- The application's tables of schema $1 with their columns, in the order of both. Left out are
-- partitions, which are read with the whole, and what belongs to a store or an extension.
WITH RECURSIVE domains (domain, base, typmod, not_null, has_default) AS (
  SELECT oid, typbasetype, typtypmod, typnotnull, typdefault IS NOT NULL
  FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT d.domain, t.typbasetype, CASE WHEN d.typmod >= 0 THEN d.typmod ELSE t.typtypmod END,
         d.not_null OR t.typnotnull, d.has_default OR t.typdefault IS NOT NULL
  FROM domains AS d JOIN pg_type AS t ON t.oid = d.base AND t.typtype = 'd'
)
SELECT
  c.relname,
  c.relkind = 'p',
  CASE WHEN c.relkind = 'p'
    THEN (SELECT coalesce(sum(pg_table_size(p.relid)), 0)::bigint FROM pg_partition_tree(c.oid) AS p)
    ELSE pg_table_size(c.oid) END,
  a.attname,
  format_type(a.atttypid, a.atttypmod),
  b.typname,
  b.typnamespace = 'pg_catalog'::regnamespace,
  coalesce(d.typmod, a.atttypmod)::integer,
  NOT (a.attnotnull OR coalesce(d.not_null, false)),
  a.attgenerated <> '',
  a.attidentity::text,
  (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR coalesce(d.has_default, false)
    OR t.typdefault IS NOT NULL
FROM pg_class AS c
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN domains AS d ON d.domain = a.atttypid
  AND NOT EXISTS (SELECT FROM pg_type AS more WHERE more.oid = d.base AND more.typtype = 'd')
LEFT JOIN pg_type AS b ON b.oid = coalesce(d.base, a.atttypid)
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT starts_with(c.relname::text, 'threadkeep_')
  AND NOT (c.relname = ANY (ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'])
           AND 2 = (SELECT count(*) FROM pg_attribute AS own WHERE own.attrelid = c.oid
                    AND own.attname IN ('thread_id', 'checkpoint_ns')))
  AND NOT (c.relname = 'checkpoint_migrations'
           AND EXISTS (SELECT FROM pg_class AS own JOIN pg_attribute AS a ON a.attrelid = own.oid
                       WHERE own.relnamespace = c.relnamespace AND own.relname = 'checkpoints'
                         AND a.attname = 'checkpoint_ns'))
  AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.classid = 'pg_class'::regclass
                  AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY c.relname::text COLLATE "C", a.attnum
