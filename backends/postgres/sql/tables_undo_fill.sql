-- SPDX-License-Identifier: Apache-2.0
-- Rows are known by their key. The last note of a row is what the run has left.
INSERT INTO {undo}
SELECT row_number() OVER (ORDER BY noted.last), noted.key, noted.inserted, noted.hash,
  CASE
    WHEN t.tableoid IS NULL THEN 'gone'
    WHEN sha256(convert_to((t.*)::text, 'UTF8')) = noted.hash THEN 'unchanged'
    ELSE 'changed'
  END,
  {values}
FROM (
  SELECT key, bool_or(inserted) AS inserted, max(id) AS last,
         (array_agg(hash ORDER BY id DESC))[1] AS hash
  FROM {schema}.threadkeep_tier_rows
  WHERE run_id = $1::text AND table_name = $2::text
  GROUP BY key
) AS noted
LEFT JOIN {rows} AS t ON {match}
