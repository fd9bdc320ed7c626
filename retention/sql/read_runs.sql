-- SPDX-License-Identifier: Apache-2.0
SELECT r.run_id::text, r.kind, r.state, r.who,
       (extract(epoch FROM r.started_at) * 1000000)::bigint::text,
       (extract(epoch FROM r.finished_at) * 1000000)::bigint::text,
       coalesce(r.error, ''), r.threads::text, r.checkpoints::text, r.writes::text, r.bytes::text,
       r.busy::text, r.collected::text, r.tombstones::text, r.notes::text
FROM {schema}threadkeep_retention_runs AS r
ORDER BY r.run_id DESC LIMIT $1::text::bigint
