-- SPDX-License-Identifier: Apache-2.0
-- More blobs of a checkpoint than one statement takes, if it was stored by the one before. Its
-- thread is locked, so that nobody else can have stored it.
INSERT INTO {schema}checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT $1::text, $2::text, channel, version, type, blob
FROM ({rows}) AS given (channel, version, type, blob)
WHERE EXISTS (
  SELECT FROM {schema}checkpoints
  WHERE thread_id = $1::text AND checkpoint_ns = $2::text AND checkpoint_id = $3::text
    AND parent_checkpoint_id IS NOT DISTINCT FROM $4::text
    AND metadata = $6::jsonb AND checkpoint = $5::jsonb
)
ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
