-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) FROM {schema}threadkeep_messages
WHERE thread_id = $1::text AND stream = $2::text AND seq > $3::bigint
