-- SPDX-License-Identifier: Apache-2.0
SELECT 'extra (' || {target_key_text} || ')'
FROM {rows} AS t
WHERE {inside} AND NOT EXISTS (SELECT FROM {keys} AS s WHERE {match})
LIMIT $1::integer
