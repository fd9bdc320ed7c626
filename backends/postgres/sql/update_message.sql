-- SPDX-License-Identifier: Apache-2.0
-- Stores what an update makes of a message. Its thread is locked and the message is there.
WITH written AS MATERIALIZED (
  SELECT 1 AS changed
),
message AS (
  UPDATE {schema}threadkeep_messages
  SET metadata = $3::text, content = $4::text, version = $5::bigint
  WHERE thread_id = $1::text AND id = $2::text
),
{raise_revision}
SELECT {revision} FROM written
