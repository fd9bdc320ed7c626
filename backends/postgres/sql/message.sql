-- SPDX-License-Identifier: Apache-2.0
SELECT stream, seq, id, role, created_at, version, metadata, content
FROM {schema}threadkeep_messages
WHERE thread_id = $1::text AND id = ANY ($2::text[])
