-- SPDX-License-Identifier: Apache-2.0
-- $3: what look() said of the threads that were archived, and $4: where; or empty.
SELECT b.done::text, b.error, b.policies::text, b.threads::text, b.checkpoints::text,
       b.writes::text, b.bytes::text, b.busy::text, b.collected::text,
       b.tombstones::text, b.notes::text
FROM {schema}threadkeep_retention_batch(
  $1::text::bigint, $2::text::integer, nullif($3::text, '')::jsonb, nullif($4::text, '')) AS b
