-- SPDX-License-Identifier: Apache-2.0
-- Who holds advisory lock $1. What another role runs is shown to members of pg_read_all_stats only.
SELECT l.pid,
       coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.usename::text, '?'),
       coalesce(host(a.client_addr), 'local'),
       coalesce(extract(epoch FROM clock_timestamp() - a.backend_start), 0)::int
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = $1::bigint
LIMIT 1;
