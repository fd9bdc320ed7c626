-- SPDX-License-Identifier: Apache-2.0
SELECT id, source, plan_hash, started_at
FROM {schema}.threadkeep_tier_runs
WHERE finished_at IS NULL
ORDER BY started_at DESC, id
LIMIT 1
