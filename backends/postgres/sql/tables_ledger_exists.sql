-- SPDX-License-Identifier: Apache-2.0
-- Whether schema $1 has the tables of runs.
SELECT count(*) = 2
FROM pg_class
WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1::text)
  AND relname IN ('threadkeep_tier_runs', 'threadkeep_tier_tables')
