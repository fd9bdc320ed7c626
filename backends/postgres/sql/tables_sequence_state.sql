-- SPDX-License-Identifier: Apache-2.0
-- Where a sequence with step $1, smallest value $2 and greatest value $3 stands, and where it has
-- to stand so that its next value is past the column's; null when it stands well. Steps are whole,
-- since other sequences may give the values between. One that has nothing left gives none that is
-- taken.
SELECT
  next::text,
  farthest::text,
  CASE WHEN $1::bigint > 0
    THEN least(last + ceil((farthest - last) / $1::bigint) * $1::bigint, $3::bigint)
    ELSE greatest(last + ceil((farthest - last) / $1::bigint) * $1::bigint, $2::bigint)
  END::bigint
FROM (
  SELECT last_value::numeric AS last,
         last_value::numeric + CASE WHEN is_called THEN $1::bigint ELSE 0 END AS next,
         (SELECT CASE WHEN $1::bigint > 0 THEN max({column}) ELSE min({column}) END
          FROM {table})::numeric AS farthest
  FROM {sequence}
) AS state
WHERE CASE WHEN $1::bigint > 0 THEN next <= farthest AND next <= $3::bigint
           ELSE next >= farthest AND next >= $2::bigint END
