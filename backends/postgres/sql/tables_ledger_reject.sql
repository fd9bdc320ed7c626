-- SPDX-License-Identifier: Apache-2.0
INSERT INTO {schema}.threadkeep_tier_rejects (run_id, table_name, key)
SELECT $1::text, $2::text, unnest($3::text[])
