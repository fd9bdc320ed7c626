-- SPDX-License-Identifier: Apache-2.0
-- The first $3 documents after key $2 of the scope $1: see messages.sql.
SELECT key, value, version, there
FROM (
  SELECT
    *,
    row_number() OVER (ORDER BY key) AS item,
    sum({weight}) OVER (ORDER BY key) - {weight} AS bytes_before,
    count(*) OVER () AS there
  FROM (
    SELECT key, value, version FROM {schema}{documents}
    WHERE {owner} = $1::text AND key > $2::text
    ORDER BY key
    LIMIT $3::bigint
  ) AS first
) AS weighed
WHERE item = 1 OR bytes_before < $4::bigint
ORDER BY key
