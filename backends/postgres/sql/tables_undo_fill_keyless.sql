-- SPDX-License-Identifier: Apache-2.0
-- Rows without a key are known by what they hold: as many of them as were put in. Their place
-- stands for a key, and is looked at no later than it may change hands: see the hash there.
INSERT INTO {undo}
SELECT row_number() OVER (ORDER BY noted.id), '{}', true, noted.hash,
  CASE WHEN found.place IS NULL THEN 'gone' ELSE 'unchanged' END, found.place, found.part
FROM (
  SELECT id, hash, row_number() OVER (PARTITION BY hash ORDER BY id) AS occurrence
  FROM {schema}.threadkeep_tier_rows
  WHERE run_id = $1::text AND table_name = $2::text
) AS noted
LEFT JOIN (
  SELECT place, part, hash, row_number() OVER (PARTITION BY hash ORDER BY part, place) AS occurrence
  FROM (SELECT ctid AS place, tableoid AS part, sha256(convert_to((t.*)::text, 'UTF8')) AS hash
        FROM {rows} AS t) AS there
) AS found USING (hash, occurrence)
