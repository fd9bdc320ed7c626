-- SPDX-License-Identifier: Apache-2.0
-- Takes links of run $1 in table $2 back. What the rows are then is noted, so that a rollback that
-- is interrupted knows them again.
WITH unlinked AS (
  UPDATE {rows} AS t SET {nulls} FROM {undo} AS u
  WHERE {match} AND u.inserted AND u.state = 'unchanged' AND ({linked})
    AND sha256(convert_to((t.*)::text, 'UTF8')) = u.hash
  RETURNING u.number, u.key, sha256(convert_to((t.*)::text, 'UTF8')) AS hash
), noted AS (
  INSERT INTO {schema}.threadkeep_tier_rows (run_id, table_name, key, inserted, hash)
  SELECT $1::text, $2::text, key, false, hash FROM unlinked
)
UPDATE {undo} AS u SET hash = unlinked.hash FROM unlinked WHERE u.number = unlinked.number
