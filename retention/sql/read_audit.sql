-- SPDX-License-Identifier: Apache-2.0
-- $1: the entries before this one, or empty.
SELECT a.audit_id::text, (extract(epoch FROM a.at) * 1000000)::bigint::text, a.who, a.action,
       coalesce(a.policy, ''), coalesce(a.reason, ''), coalesce(a.thread_id::text, ''),
       coalesce(a.run_id, 0)::text, a.threads::text, a.checkpoints::text, a.writes::text,
       a.blobs::text, a.bytes::text
FROM {schema}threadkeep_retention_audit AS a
WHERE $1::text = '' OR a.audit_id < nullif($1::text, '')::bigint
ORDER BY a.audit_id DESC LIMIT $2::text::bigint
