-- SPDX-License-Identifier: Apache-2.0
-- Until the end of the transaction nothing begins to refer to these rows.
SELECT count(*) FROM (
  SELECT FROM {rows} AS t JOIN {undo} AS u ON {match}
  WHERE u.number > $1::bigint AND u.number <= $2::bigint AND u.inserted AND u.state = 'unchanged'
  FOR UPDATE OF t
) AS locked
