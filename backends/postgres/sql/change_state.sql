-- SPDX-License-Identifier: Apache-2.0
-- Changes documents of one scope, all or none: see append.sql. The scope is locked.
WITH {change},
verdict AS MATERIALIZED (
  SELECT CASE
    WHEN EXISTS (SELECT FROM change WHERE outcome = 'doubt') THEN '{doubt}'
    WHEN EXISTS (SELECT FROM change WHERE outcome = 'conflict') THEN 'state'
    ELSE 'store'
  END AS verdict
),
written AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE outcome IN ('put', 'erase')) AS changed
  FROM change
  WHERE (SELECT verdict FROM verdict) = 'store'
),
{store_change},
{raise_revision}
SELECT
  verdict,
  CASE verdict WHEN '{doubt}' THEN verdict::integer END,
  {revision},
  change.outcome,
  change.version,
  CASE WHEN change.outcome = 'conflict' THEN change.stored_value END
FROM verdict
CROSS JOIN written
LEFT JOIN change ON true
ORDER BY change.place
