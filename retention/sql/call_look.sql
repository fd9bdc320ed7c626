-- SPDX-License-Identifier: Apache-2.0
SELECT l.thread_id, l.fingerprint
FROM {schema}threadkeep_retention_look($1::text::bigint, $2::text::integer) AS l
ORDER BY l.thread_id COLLATE "C"
