-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT table_name COLLATE "C" FROM {schema}.threadkeep_tier_rows
WHERE run_id = $1::text ORDER BY 1
