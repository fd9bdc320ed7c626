-- SPDX-License-Identifier: Apache-2.0
-- Writes rows, and notes what they are then: those of table $2 that run $1 has put in, if $3, or
-- else changed.
WITH written AS (
{write}
RETURNING ARRAY[{key}]::text[] AS key, sha256(convert_to((t.*)::text, 'UTF8')) AS hash
), noted AS (
  INSERT INTO {schema}.threadkeep_tier_rows (run_id, table_name, key, inserted, hash)
  SELECT $1::text, $2::text, key, $3::boolean, hash FROM written
)
SELECT count(*) FROM written
