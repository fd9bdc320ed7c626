-- SPDX-License-Identifier: Apache-2.0
-- The indexes of schema $1 that have a name of ours. Their shape is what the server makes of their
-- definition: keys, collations other than the default one, predicate.
SELECT x.relname::text,
       i.indisvalid AND i.indisready,
       t.relname::text,
       concat_ws(' ',
         CASE WHEN i.indisunique THEN 'unique' END,
         CASE WHEN m.amname <> 'btree' THEN m.amname END,
         (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true)
                              || coalesce(' collate ' || l.collname, ''), ', ' ORDER BY k)
          FROM generate_series(1, i.indnatts::int) AS k
          LEFT JOIN pg_catalog.pg_collation AS l
            ON l.oid = i.indcollation[k - 1] AND l.collname <> 'default'),
         'where ' || pg_get_expr(i.indpred, i.indrelid, true)) AS shape
FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_class AS x ON x.relnamespace = n.oid AND x.relkind IN ('i', 'I')
JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
WHERE n.nspname = $1::text
  AND x.relname IN ('threadkeep_checkpoints_run_id', 'threadkeep_checkpoints_order',
                    'threadkeep_checkpoints_thread');
