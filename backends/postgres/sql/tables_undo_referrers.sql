-- SPDX-License-Identifier: Apache-2.0
-- Rows that refer to rows with a number above $1, up to $2, and are not to be deleted themselves.
SELECT count(*)
FROM {undo} AS u
JOIN {rows} AS t ON {match}
JOIN {others} AS c ON {points_to}
WHERE u.number > $1::bigint AND u.number <= $2::bigint AND u.inserted AND u.state = 'unchanged'
  {stays}
