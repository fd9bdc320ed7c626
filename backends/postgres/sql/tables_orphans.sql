-- SPDX-License-Identifier: Apache-2.0
SELECT count(*)
FROM {rows} AS t
WHERE {all_there} AND NOT EXISTS (SELECT FROM {target} AS p WHERE {points_to})
