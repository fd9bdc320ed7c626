-- SPDX-License-Identifier: Apache-2.0
-- Whether schema $1 has the tables of runs; and also those of their rows.
SELECT count(*) FILTER (WHERE relname IN ('threadkeep_tier_runs', 'threadkeep_tier_tables')) = 2,
       count(*) = 4
FROM pg_class
WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
  AND relname IN ('threadkeep_tier_runs', 'threadkeep_tier_tables', 'threadkeep_tier_rows',
                  'threadkeep_tier_rejects')
