-- SPDX-License-Identifier: Apache-2.0
-- $1: policies instead of the stored ones, or empty.
SELECT p.policy, p.reason, p.threads::text, p.checkpoints::text, p.writes::text, p.blobs::text,
       p.bytes::text
FROM {schema}threadkeep_retention_preview(nullif($1::text, '')::jsonb) AS p
