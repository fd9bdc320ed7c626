-- SPDX-License-Identifier: Apache-2.0
UPDATE {schema}.threadkeep_tier_runs SET finished_at = clock_timestamp()
WHERE id = $1::text
