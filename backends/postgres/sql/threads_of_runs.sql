-- SPDX-License-Identifier: Apache-2.0
-- The last two conditions are those of the index over runs. In one order, in which they are deleted.
SELECT DISTINCT thread_id
FROM {schema}checkpoints
WHERE metadata ->> 'run_id' = ANY ($1::text[])
  AND jsonb_typeof(metadata -> 'run_id') = 'string'
  AND length(metadata ->> 'run_id') <= 512
ORDER BY thread_id
