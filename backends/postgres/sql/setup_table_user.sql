-- SPDX-License-Identifier: Apache-2.0
-- Of those who use table $1 the one that does so for longest; columns as in setup_lock_holder.sql.
SELECT l.pid,
       coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.usename::text, '?'),
       coalesce(host(a.client_addr), 'local'),
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation = to_regclass($1::text)
ORDER BY a.xact_start
LIMIT 1;
