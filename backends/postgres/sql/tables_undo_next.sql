-- SPDX-License-Identifier: Apache-2.0
-- The number of the last of $2 rows after number $1.
SELECT max(number) FROM (
  SELECT number FROM {undo} WHERE number > $1::bigint ORDER BY number LIMIT $2::bigint
) AS batch
