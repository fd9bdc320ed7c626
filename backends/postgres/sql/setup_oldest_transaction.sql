-- SPDX-License-Identifier: Apache-2.0
-- What an index that is built concurrently waits for; columns as in setup_lock_holder.sql.
SELECT a.pid,
       coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.usename::text, '?'),
       coalesce(host(a.client_addr), 'local'),
       extract(epoch FROM clock_timestamp() - a.xact_start)::int
FROM pg_catalog.pg_stat_activity AS a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.xact_start IS NOT NULL AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
ORDER BY a.xact_start
LIMIT 1;
