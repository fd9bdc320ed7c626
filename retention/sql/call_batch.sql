-- SPDX-License-Identifier: Apache-2.0
SELECT b.done::text, b.error, b.policies::text, b.threads::text, b.checkpoints::text,
       b.writes::text, b.bytes::text, b.busy::text, b.collected::text
FROM {schema}threadkeep_retention_batch($1::text::bigint, $2::text::integer) AS b
