-- SPDX-License-Identifier: Apache-2.0
-- Another session that writes down the progress of a run in schema $1 right now: of one who had the
-- lock before, and whose transaction has not ended yet.
SELECT l.pid,
       coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.usename::text, '?'),
       coalesce(host(a.client_addr), 'local'),
       coalesce(extract(epoch FROM clock_timestamp() - a.backend_start), 0)::int
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'RowExclusiveLock'
  AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation IN (
    SELECT c.oid FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relname IN ('threadkeep_tier_runs', 'threadkeep_tier_tables'))
LIMIT 1
