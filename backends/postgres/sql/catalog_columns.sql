-- SPDX-License-Identifier: Apache-2.0
-- The columns of every table in schema $1 that has a name of LangGraph's or of ours.
-- A column without a collation of its own has that of the database. Older servers do not say who
-- provides it (14), hence the way over JSON: it is the C library then.
SELECT c.relname::text,
       c.relkind::text,
       has_table_privilege(c.oid, 'SELECT'),
       a.attname::text,
       format_type(a.atttypid, NULL),
       a.attnotnull,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS needs_value,
       coalesce(a.attnum = ANY (i.indkey), false) AS in_key,
       coalesce(i.indnkeyatts, 0)::int AS key_columns,
       coalesce(CASE coalesce(nullif(l.collprovider::text, 'd'), to_jsonb(d) ->> 'datlocprovider', 'c')
                  WHEN 'c' THEN coalesce(nullif(l.collcollate::text, ''), d.datcollate::text) IN ('C', 'POSIX')
                  WHEN 'b' THEN true
                END, false) AS bytewise
FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_database AS d ON d.datname = current_database()
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = $1::text
  AND c.relname IN ('checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'checkpoint_migrations',
                    'threadkeep_threads', 'threadkeep_tombstones', 'threadkeep_migrations',
                    'threadkeep_streams', 'threadkeep_messages', 'threadkeep_state',
                    'threadkeep_scopes', 'threadkeep_operations')
ORDER BY 1, a.attnum;
