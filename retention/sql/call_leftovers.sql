-- SPDX-License-Identifier: Apache-2.0
SELECT l.tombstones::text, l.notes::text
FROM {schema}threadkeep_retention_leftovers($1::text, $2::text) AS l
