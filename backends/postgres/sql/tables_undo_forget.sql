-- SPDX-License-Identifier: Apache-2.0
WITH rows AS (DELETE FROM {schema}.threadkeep_tier_rows WHERE run_id = $1::text)
DELETE FROM {schema}.threadkeep_tier_runs WHERE id = $1::text
