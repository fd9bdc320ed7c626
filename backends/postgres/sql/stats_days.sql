-- SPDX-License-Identifier: Apache-2.0
-- Of each day one id of a checkpoint and how many there are, in a sample of $1 per million of the
-- pages.
-- Ids that tell their time are UUIDs of version 6: their first 48 bits count 409.6 microseconds
-- since the midnight before 1582-10-15, and 864000000000 times 100 nanoseconds are a day.
SELECT min(checkpoint_id), round(count(*) * 100 / ($1::bigint / 1e4))::bigint
FROM {schema}checkpoints TABLESAMPLE SYSTEM ($1::bigint / 1e4)
WHERE checkpoint_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-6[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
GROUP BY ('x' || left(translate(checkpoint_id, '-', ''), 12))::bit(48)::bigint * 4096 / 864000000000
