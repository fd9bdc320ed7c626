-- SPDX-License-Identifier: Apache-2.0
DELETE FROM {rows} AS t USING {undo} AS u
WHERE {match} AND u.number > $1::bigint AND u.number <= $2::bigint
  AND u.inserted AND u.state = 'unchanged'
  AND sha256(convert_to((t.*)::text, 'UTF8')) = u.hash
