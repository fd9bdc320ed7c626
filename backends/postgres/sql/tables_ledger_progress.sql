-- SPDX-License-Identifier: Apache-2.0
SELECT table_name, pass, position, done, inserted, updated, unchanged, kept, rejected
FROM {schema}.threadkeep_tier_tables
WHERE run_id = $1::text
ORDER BY table_name COLLATE "C", pass
