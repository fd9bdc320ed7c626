-- What an operator should know of the server and of the tables of the schema $1. The names of tables
-- are compared as text: it does not matter which of them exist.
WITH tables AS (
  SELECT t.oid, t.relname
  FROM pg_class AS t
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
  WHERE n.nspname = $1::text AND t.relkind IN ('r', 'p')
    AND (t.relname IN ('checkpoints', 'checkpoint_blobs', 'checkpoint_writes')
         OR t.relname LIKE 'threadkeep\_%')
)
SELECT
  clock_timestamp(),
  current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
  current_setting('synchronous_commit'),
  pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
  current_setting('max_connections')::bigint
    - current_setting('superuser_reserved_connections')::bigint,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  (SELECT string_agg(relname::text, ', ' ORDER BY relname) FROM tables
   WHERE relname <> 'threadkeep_migrations'
     AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
              AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))),
  (SELECT string_agg(i.indexrelid::regclass::text, ', ') FROM pg_index AS i
   JOIN tables ON tables.oid = i.indrelid WHERE NOT i.indisvalid),
  (SELECT string_agg(tables.relname::text, ', ' ORDER BY tables.relname)
   FROM pg_stat_user_tables AS s JOIN tables ON tables.oid = s.relid
   WHERE s.n_dead_tup > 100000 AND s.n_dead_tup > s.n_live_tup)
