-- SPDX-License-Identifier: Apache-2.0
-- Rows of the target whose key the source has not.
SELECT count(*) FROM {rows} AS t
WHERE {inside} AND NOT EXISTS (SELECT FROM {keys} AS s WHERE {match})
