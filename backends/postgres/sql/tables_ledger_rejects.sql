-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT key FROM {schema}.threadkeep_tier_rejects
WHERE run_id = $1::text AND table_name = $2::text
